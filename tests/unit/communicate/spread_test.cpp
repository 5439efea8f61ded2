#include "evaljob-runner/communicate/spread.hpp"

#include <gmock/gmock.h>

#include <string>

namespace evaljob::test {
namespace {

using testing::ElementsAre;

/// A group whose other members are a row's.
class Members : public Communicator {
public:
    explicit Members(std::size_t self) : self_(self) {}
    std::size_t size() const override { return 2; }
    std::size_t self() const override { return self_; }
    Result<void> broadcast(char* bytes, std::size_t count) override {
        sizes.push_back(count);
        if (broken) return fail("Unavailable", "member 1 is gone");
        if (self_ != 0) std::fill_n(bytes, count, 'x');
        return {};
    }
    Result<std::vector<std::uint64_t>> all_gather(std::uint64_t value) override {
        ++gathered;
        if (others_go && gathered > 1) return fail("Unavailable", "member 0 is gone");
        return std::vector<std::uint64_t>{value, others_differ ? value + 1 : value};
    }
    void abort() override { aborted = true; }

    bool broken = false, others_differ = false, others_go = false, aborted = false;
    int gathered = 0;
    std::vector<std::size_t> sizes;

private:
    std::size_t self_;
};

constexpr std::size_t piece = 16U << 20U;

TEST(Spread, ReadsAndSendsPieceByPiece) {
    Members group(0);
    std::string to(piece + 3, '.');
    std::vector<std::uint64_t> offsets;
    const auto read = [&](std::uint64_t offset, char* at, std::size_t count) -> Result<void> {
        offsets.push_back(offset);
        std::fill_n(at, count, 'r');
        return {};
    };
    ASSERT_TRUE(spread(group, {"model", to.size()}, to.data(), read));
    EXPECT_EQ(to, std::string(piece + 3, 'r'));
    EXPECT_THAT(offsets, ElementsAre(0U, piece));
    EXPECT_THAT(group.sizes, ElementsAre(piece, 3U));
}

Result<void> no_read(std::uint64_t, char*, std::size_t) { return fail("BadInput", "nobody else reads"); }

TEST(Spread, GivesTheOthersTheBytes) {
    Members group(1);
    std::string to(5, '.');
    ASSERT_TRUE(spread(group, {"model", 5}, to.data(), no_read));
    EXPECT_EQ(to, "xxxxx");
}

TEST(Spread, SendsNothingWhenMembersMeanDifferentThings) {
    Members group(1);
    group.others_differ = true;
    std::string to(5, '.');
    const auto differs = spread(group, {"model", 5}, to.data(), no_read);
    ASSERT_FALSE(differs);
    EXPECT_EQ(differs.error().reason, "Unavailable");
    EXPECT_EQ(differs.error().message, "member 1 of the group sees another model or evaluation than this process");
    EXPECT_TRUE(group.sizes.empty());
}

TEST(Spread, TellsTheOthersWhenTheReaderCannotRead) {
    Members group(0);
    std::string to(5, '.');
    EXPECT_EQ(spread(group, {"model", 5}, to.data(), no_read).error().message, "nobody else reads");
    EXPECT_TRUE(group.aborted);
    EXPECT_TRUE(group.sizes.empty());
}

TEST(Spread, FailsWithTheGroup) {
    Members group(1);
    group.broken = true;
    std::string to(5, '.');
    EXPECT_EQ(spread(group, {"model", 5}, to.data(), no_read).error().message, "member 1 is gone");
}

TEST(Spread, HasTheBytesWhenTheOthersAreGoneAlready) {
    Members group(1);
    group.others_go = true;
    std::string to(5, '.');
    EXPECT_TRUE(spread(group, {"model", 5}, to.data(), no_read));
    EXPECT_EQ(to, "xxxxx");
}

TEST(Spread, OfNothingIsCheckedToo) {
    Members group(1);
    group.others_differ = true;
    EXPECT_FALSE(spread(group, {"model", 0}, nullptr, no_read));
}

}  // namespace
}  // namespace evaljob::test
