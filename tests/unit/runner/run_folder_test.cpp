#include "evaljob-runner/manifest/run_folder.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <cerrno>

#include "api/digest.hpp"
#include "evaljob-runner/launch/exit_status.hpp"
#include "evaljob-runner/shard/frame.hpp"
#include "evaljob-runner/shard/shard_log.hpp"
#include "evaljob-runner/storage/file_descriptor.hpp"
#include "evaljob-runner/storage/files.hpp"
#include "evaljob-runner/storage/layout.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// Six samples in batches of two.
Manifest small(const std::string& model = "aa") {
    Manifest m;
    m.config = {{"model", {{"sha256", model}}}, {"datasets", Json::array({{{"name", "one"}}})}};
    for (int i = 0; i < 6; ++i) m.samples.push_back({0, std::to_string(i), "hash", Json(i), ""});
    m.batches = plan_batches(m.samples, 1, 2);
    return m;
}

class RunFolder : public testing::Test {
protected:
    /// A log with a record for each of these samples; those from 100 on say that sample (n - 100) failed.
    std::string add_log(const std::string& name, const std::vector<int>& samples, bool close = true) {
        const std::string path = "runs/r/node-0/attempt-0/" + name + ".shard";
        EXPECT_TRUE(make_folders(folder_ / "runs/r/node-0/attempt-0"));
        ShardHeader header;
        header.identity = identity_of(manifest_);
        auto writer = ShardWriter::create(folder_ / path, header);
        EXPECT_TRUE(writer);
        for (const int sample : samples) {
            Record record{0, std::to_string(sample % 100), 0, {1, 1}, Json(7), Json::object(), ""};
            if (sample >= 100) record.error = "out of memory";
            EXPECT_TRUE(writer->append(record));
        }
        EXPECT_TRUE(close ? writer->close() : writer->commit());
        return path;
    }
    Inventory inventory() {
        auto taken = take_inventory(manifest_, folder_.path(), 0);
        EXPECT_TRUE(taken) << taken.error().message;
        return taken.value_or(Inventory{});
    }
    std::vector<bool> finished() {
        std::vector<bool> batches;
        for (const auto& state : batch_states(manifest_, inventory())) batches.push_back(state.finished);
        return batches;
    }

    TemporaryFolder folder_;
    Manifest manifest_ = small();
};

TEST_F(RunFolder, SettlesTheSameManifestTwice) {
    ASSERT_TRUE(settle_manifest(manifest_, folder_ / "new/folder"));
    EXPECT_EQ(folder_.read("new/folder/manifest.jsonl"), encode_manifest(manifest_));
    EXPECT_TRUE(settle_manifest(manifest_, folder_ / "new/folder"));
}

TEST_F(RunFolder, RefusesAnotherEvaluationAndNamesBoth) {
    ASSERT_TRUE(settle_manifest(manifest_, folder_.path()));
    const auto other = settle_manifest(small("bb"), folder_.path());
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().reason, "OtherIdentity");
    EXPECT_THAT(other.error().message, HasSubstr(folder_.path()));
    EXPECT_THAT(other.error().message, HasSubstr(identity_of(small("aa")).substr(0, 12)));
    EXPECT_THAT(other.error().message, HasSubstr(identity_of(small("bb")).substr(0, 12)));
    EXPECT_EQ(folder_.read("manifest.jsonl"), encode_manifest(manifest_));
}

TEST_F(RunFolder, RefusesADamagedManifest) {
    folder_.write("manifest.jsonl", encode_manifest(manifest_) + "x");
    const auto settled = settle_manifest(manifest_, folder_.path());
    ASSERT_FALSE(settled);
    EXPECT_EQ(settled.error().reason, "BadInput");
    EXPECT_THAT(settled.error().message, HasSubstr("manifest.jsonl"));
}

TEST_F(RunFolder, EpochsRise) {
    EXPECT_EQ(next_epoch(folder_.path()).value(), 1U);
    EXPECT_EQ(next_epoch(folder_.path()).value(), 2U);
    EXPECT_THAT(list_files(folder_ / "epochs", "").value(), ElementsAre("000001", "000002"));
    std::filesystem::remove(folder_ / "epochs/000001");
    EXPECT_EQ(next_epoch(folder_.path()).value(), 3U);
    folder_.write("epochs/notes.txt", "");
    folder_.write("epochs/000041", "");
    EXPECT_EQ(next_epoch(folder_.path()).value(), 42U);
    folder_.write("epochs/1000000", "");
    EXPECT_EQ(next_epoch(folder_.path()).value(), 1'000'001U);
}

TEST_F(RunFolder, WithoutLogsHasNothing) {
    EXPECT_THAT(inventory().shards, IsEmpty());
    EXPECT_EQ(finished(), std::vector<bool>(3, false));
}

TEST_F(RunFolder, CountsWhatAllLogsHold) {
    const std::string first = add_log("rank-0.0", {0, 1, 2});
    add_log("rank-1.0", {3, 2, 5}, false);
    const Inventory taken = inventory();
    EXPECT_EQ(taken.items, (std::vector<bool>{true, true, true, true, false, true}));
    EXPECT_THAT(taken.notes, IsEmpty());
    ASSERT_THAT(taken.shards, SizeIs(2));
    EXPECT_EQ(taken.shards[0].path, first);
    EXPECT_EQ(taken.shards[0].records, 3U);
    EXPECT_EQ(taken.shards[0].length, folder_.read(first).size());
    EXPECT_EQ(taken.shards[0].sha256, sha256_hex(folder_.read(first)));
    EXPECT_EQ(finished(), (std::vector<bool>{true, true, false}));
}

TEST_F(RunFolder, AFailedSampleIsTriedAgain) {
    add_log("rank-0.0", {0, 101, 2, 103});
    add_log("rank-1.0", {3});  // has succeeded since
    const Inventory taken = inventory();
    EXPECT_FALSE(taken.items[1]);
    EXPECT_TRUE(taken.failed_items[1]);
    EXPECT_EQ(finished(), (std::vector<bool>{false, true, false}));
}

TEST_F(RunFolder, ATornLogCountsUpToTheTear) {
    const std::string path = add_log("rank-0.0", {0, 1, 2}, false);
    const std::string whole = folder_.read(path);
    folder_.write(path, whole.substr(0, whole.size() - 1));
    const Inventory taken = inventory();
    EXPECT_EQ(taken.items, (std::vector<bool>{true, true, false, false, false, false}));
    ASSERT_THAT(taken.shards, SizeIs(1));
    EXPECT_LT(taken.shards[0].length, whole.size() - 1);
    EXPECT_EQ(taken.shards[0].records, 2U);
}

TEST_F(RunFolder, ADamagedLogCountsForNothingAndIsNamed) {
    const std::string path = add_log("rank-0.0", {0, 1, 2});
    std::string bytes = folder_.read(path);
    bytes[bytes.size() - 200] ^= 1;  // in a record; the footer stands
    folder_.write(path, bytes);
    add_log("rank-1.0", {4, 5});
    folder_.write("runs/r/node-0/attempt-0/rank-2.0.shard", "");
    const Inventory taken = inventory();
    EXPECT_EQ(taken.items, (std::vector<bool>{false, false, false, false, true, true}));
    EXPECT_THAT(taken.shards, SizeIs(1));
    EXPECT_THAT(taken.notes, ElementsAre(AllOf(HasSubstr("rank-0.0.shard"), HasSubstr("evaluated again")),
                                         HasSubstr("rank-2.0.shard")));
}

TEST_F(RunFolder, ALogOfAnotherEvaluationIsPassedOverAndNamed) {
    manifest_ = small("bb");
    add_log("rank-0.0", {0, 1, 2});
    manifest_ = small("aa");
    const Inventory taken = inventory();
    EXPECT_EQ(taken.items, std::vector<bool>(6, false));
    EXPECT_THAT(taken.shards, IsEmpty());
    EXPECT_THAT(taken.notes, ElementsAre(AllOf(HasSubstr("rank-0.0.shard"), HasSubstr("another evaluation"))));
}

TEST_F(RunFolder, RecordsOfNoSampleOfTheManifestCountForNothing) {
    add_log("rank-0.0", {0, 99});
    EXPECT_EQ(inventory().items, (std::vector<bool>{true, false, false, false, false, false}));
}

TEST_F(RunFolder, RepeatsAreItemsOfTheirOwn) {
    manifest_.repeats = 2;
    manifest_.batches = plan_batches(manifest_.samples, 2, 2);
    add_log("rank-0.0", {1});  // repeat 0
    std::vector<bool> expected(12, false);
    expected[2] = true;
    EXPECT_EQ(inventory().items, expected);
}

TEST_F(RunFolder, TheDoneMarkerListsEveryLogWithItsValidLength) {
    const std::string closed = add_log("rank-0.0", {0, 1, 2, 103});
    const std::string torn = add_log("rank-1.0", {4, 5}, false);
    const std::string whole = folder_.read(torn);
    folder_.write(torn, whole + "torn");
    ASSERT_TRUE(settle_manifest(manifest_, folder_.path()));
    EXPECT_FALSE(is_done(folder_.path(), "r"));
    const auto marker = write_done_marker(manifest_, folder_.path(), {4, "r"});
    ASSERT_TRUE(marker) << marker.error().message;
    const auto there = decode_done_marker(folder_.read("done.json"));
    ASSERT_TRUE(there);
    EXPECT_EQ(there->identity, identity_of(manifest_));
    EXPECT_EQ(there->epoch, 4U);
    EXPECT_EQ(there->items, 6U);
    ASSERT_THAT(there->shards, SizeIs(2));
    EXPECT_EQ(there->shards[1].path, torn);
    EXPECT_EQ(there->shards[1].length, whole.size());
    EXPECT_EQ(there->shards[1].sha256, sha256_hex(whole));
    EXPECT_TRUE(is_done(folder_.path(), "r"));
}

TEST_F(RunFolder, TheDoneMarkerIsNotWrittenWhileASampleHasNoRecord) {
    add_log("rank-0.0", {0, 1, 2, 4, 5});
    const auto marker = write_done_marker(manifest_, folder_.path(), {1, "r"});
    ASSERT_FALSE(marker);
    EXPECT_EQ(marker.error().reason, "Incomplete");
    EXPECT_THAT(marker.error().message, HasSubstr("sample 3 "));
    EXPECT_FALSE(std::filesystem::exists(layout::done_marker(folder_.path())));
}

TEST_F(RunFolder, IsNotDoneByAnotherEvaluationsMarkerOrADamagedOne) {
    add_log("rank-0.0", {0, 1, 2, 3, 4, 5});
    ASSERT_TRUE(settle_manifest(manifest_, folder_.path()) && write_done_marker(manifest_, folder_.path(), {1, "r"}));
    ASSERT_TRUE(is_done(folder_.path(), "r"));
    folder_.write("manifest.jsonl", encode_manifest(small("bb")));
    EXPECT_FALSE(is_done(folder_.path(), "r"));
    folder_.write("manifest.jsonl", encode_manifest(manifest_));
    folder_.write("done.json", folder_.read("done.json").substr(1));
    EXPECT_FALSE(is_done(folder_.path(), "r"));
}

TEST_F(RunFolder, FilesAreReplacedWholeAndLeaveNothingBeside) {
    ASSERT_TRUE(write_file_durably(folder_ / "a", "old"));
    ASSERT_TRUE(write_file_durably(folder_ / "a", "new"));
    EXPECT_EQ(folder_.read("a"), "new");
    EXPECT_THAT(list_files(folder_.path(), "").value(), ElementsAre("a"));
    EXPECT_EQ(write_file_durably(folder_ / "missing/a", "x").error().reason, "WriteFailed");
    EXPECT_EQ(read_file(folder_ / "a", 2).error().reason, "TooLarge");
    EXPECT_EQ(read_file(folder_ / "a", 3).value(), "new");
    EXPECT_EQ(read_file(folder_ / "b", 3).error().reason, "NotFound");
    EXPECT_EQ(read_file(folder_.path(), 3).error().reason, "Unreadable");
}

TEST(WriteFailure, OfAFullDiskIsOneThatNoRestartMends) {
    const FileDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    ASSERT_TRUE(full);
    const auto wrote = write_all(full.get(), "x", "/volume/a.shard");
    ASSERT_FALSE(wrote);
    EXPECT_EQ(wrote.error().message,
              "/volume/a.shard: No space left on device; free some space there and run it again: what is done is kept");
    EXPECT_EQ(exit_status_of(wrote.error()), exit_code::no_space);
    EXPECT_TRUE(exit_code::is_final(exit_code::no_space));
}

TEST(WriteFailure, OfAReadOnlyDiskNamesTheMend) {
    const Error error = write_failure("/volume/a.shard", EROFS).value();
    EXPECT_THAT(error.message, HasSubstr("Read-only file system; choose another storage.path (or --output)"));
    EXPECT_EQ(exit_status_of(error), exit_code::storage);
    EXPECT_EQ(write_failure("/volume/a.shard", EIO).value().message, "/volume/a.shard: Input/output error");
}

TEST_F(RunFolder, AcceptsItsManifestWrittenAnotherWay) {
    std::string text = encode_manifest(manifest_);
    text.insert(text.find(',') + 1, " ");
    folder_.write("manifest.jsonl", text);
    EXPECT_TRUE(settle_manifest(manifest_, folder_.path()));
    EXPECT_EQ(folder_.read("manifest.jsonl"), text);
}

}  // namespace
}  // namespace evaljob::test
