#include "evaljob-runner/manifest/await_manifest.hpp"

#include <gmock/gmock.h>

#include "evaljob-runner/launch/exit_status.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::test {
namespace {

using testing::HasSubstr;

Manifest small(const std::string& model = "aa") {
    Manifest manifest;
    manifest.config = {{"model", {{"sha256", model}}}, {"datasets", Json::array({{{"name", "one"}}})}};
    manifest.samples.push_back({0, "0", std::string(32, 'b'), Json(0), ""});
    manifest.batches = plan_batches(manifest.samples, 1, 1);
    return manifest;
}

class AwaitManifest : public testing::Test {
protected:
    /// What is found when it may be looked for `most` times; `comes` happens before the third time.
    Result<Manifest> await(
        int most, const std::function<void()>& comes = [] {}) {
        return await_manifest(folder_.path(), identity_of(small()), [&, most, comes] {
            if (++looks_ == 2) comes();
            return looks_ < most;
        });
    }
    void write(const Manifest& manifest) const { folder_.write("manifest.jsonl", encode_manifest(manifest)); }

    TemporaryFolder folder_;
    int looks_ = 0;
};

TEST_F(AwaitManifest, ThatIsThereIsReadAtOnce) {
    write(small());
    EXPECT_TRUE(await(10));
    EXPECT_EQ(looks_, 0);
}

TEST_F(AwaitManifest, ThatAStaleFolderDoesNotShowYetIsWaitedFor) {
    EXPECT_TRUE(await(10, [this] { write(small()); }));
    EXPECT_EQ(looks_, 2);
}

TEST_F(AwaitManifest, OfBeforeIsWaitedOut) {
    write(small("bb"));
    EXPECT_TRUE(await(10, [this] { write(small()); }));
}

TEST_F(AwaitManifest, ThatNeverComesMeansAnotherVolume) {
    const auto missing = await(10);
    ASSERT_FALSE(missing);
    EXPECT_EQ(looks_, 10);
    EXPECT_EQ(missing.error().reason, "ContractViolated");
    EXPECT_THAT(missing.error().message, HasSubstr("must be one volume that all nodes mount"));
    write(small("bb"));
    EXPECT_EQ(await(3).error().reason, "ContractViolated");
}

TEST_F(AwaitManifest, ThatIsDamagedIsBadInput) {
    folder_.write("manifest.jsonl", encode_manifest(small()) + "x");
    EXPECT_EQ(await(3).error().reason, "BadInput");
}

// A rank's EIO or ESTALE ended the whole job for good, as a violated contract.
TEST_F(AwaitManifest, ThatAVolumeRefusesToReadEndsThisRankAloneAndNotForGood) {
    std::filesystem::create_symlink("/proc/self/mem", folder_ / "manifest.jsonl");  // says EIO
    const auto refused = await(3);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("Input/output error"));
    EXPECT_EQ(exit_status_of(refused.error()), exit_code::storage);
    EXPECT_FALSE(exit_code::is_final(exit_status_of(refused.error())));
}

}  // namespace
}  // namespace evaljob::test
