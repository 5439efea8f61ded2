#include "evaljob-runner/launch/received_logs.hpp"

#include <gmock/gmock.h>

#include "evaljob-runner/shard/frame.hpp"
#include "evaljob-runner/shard/shard_log.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::test {
namespace {

using testing::HasSubstr;

ShardHeader header(const std::string& identity = "identity", const std::string& run = "fm-1") {
    return {identity, run, 5, 2, 1, 3, "cpu", "a formula", 1, 1'700};
}

constexpr LeaseNumber first{4, 1};
constexpr LeaseNumber second{4, 2};
const std::string file = "/runs/fm-1/node-2/attempt-3/rank-5.received-4-9.shard";

class ReceivedLogsTest : public testing::Test {
protected:
    std::string start() { return encoder_.take(); }
    std::string batch(LeaseNumber lease) {
        EXPECT_TRUE(encoder_.append(Record{0, "a", 0, lease, Json(3), Json::object(), ""}));
        encoder_.append(BatchEnd{7, lease, 100, 200, 1});
        return encoder_.take();
    }
    static Result<void> send(ReceivedLogs& logs, const std::string& bytes, std::size_t part) {
        for (std::size_t at = 0; at < bytes.size(); at += part)
            if (auto taken = logs.append(9, {at, bytes.substr(at, part)}); !taken) return taken;
        return {};
    }

    TemporaryFolder folder_;
    ShardEncoder encoder_{header()};
    ReceivedLogs logs_{folder_.path(), "identity", "fm-1", 4};
};

TEST_F(ReceivedLogsTest, WritesWhatWasSentInWhateverParts) {
    const std::string begin = start();
    const std::string bytes = begin + batch(first) + batch(second);
    for (const std::size_t part : {bytes.size(), std::size_t{1'000'000}}) {
        TemporaryFolder other;
        ReceivedLogs logs(other.path(), "identity", "fm-1", 4);
        ASSERT_TRUE(send(logs, bytes, part));
        ASSERT_TRUE(logs.commit());
        EXPECT_EQ(other.read(file), bytes);
    }
    // The first part holds the whole header; the others may be cut anywhere.
    ASSERT_TRUE(logs_.append(9, {0, begin}));
    for (std::size_t at = begin.size(); at < bytes.size(); ++at)
        ASSERT_TRUE(logs_.append(9, {at, bytes.substr(at, 1)}));
    ASSERT_TRUE(logs_.commit());
    EXPECT_EQ(folder_.read(file), bytes);
    const auto read = read_shard_file(folder_ / file.substr(1), UINT64_MAX, {});
    ASSERT_TRUE(read);
    EXPECT_EQ(read->records, 2U);
    EXPECT_EQ(read->batches, 2U);
}

TEST_F(ReceivedLogsTest, HoldsABatchOnceItsEndHasCome) {
    const std::string begin = start();
    const std::string one = batch(first);
    ASSERT_TRUE(logs_.append(9, {0, begin + one.substr(0, one.size() - 1)}));
    EXPECT_FALSE(logs_.holds(9, first));
    ASSERT_TRUE(logs_.append(9, {begin.size() + one.size() - 1, one.substr(one.size() - 1)}));
    EXPECT_FALSE(logs_.holds(9, second));
    EXPECT_FALSE(logs_.holds(8, first));
    EXPECT_TRUE(logs_.holds(9, first));
    EXPECT_FALSE(logs_.holds(9, first)) << "asked once";
}

TEST_F(ReceivedLogsTest, PassesOverWhatHasComeAlready) {
    const std::string begin = start();
    const std::string one = batch(first);
    ASSERT_TRUE(logs_.append(9, {0, begin}));
    ASSERT_TRUE(logs_.append(9, {0, begin}));
    ASSERT_TRUE(logs_.append(9, {begin.size(), one}));
    ASSERT_TRUE(logs_.append(9, {begin.size(), one}));
    ASSERT_TRUE(logs_.commit());
    EXPECT_EQ(folder_.read(file), begin + one);
}

struct Wrong {
    const char* name;
    std::function<Append(const std::string& begin, const std::string& batch)> second;  // after `begin` was sent
    const char* says;
};

void PrintTo(const Wrong& row, std::ostream* out) { *out << row.name; }

class WrongBytes : public ReceivedLogsTest, public testing::WithParamInterface<Wrong> {};

TEST_P(WrongBytes, AreRefused) {
    const std::string begin = start();
    ASSERT_TRUE(logs_.append(9, {0, begin}));
    const auto taken = logs_.append(9, GetParam().second(begin, batch(first)));
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().reason, "BadMessage");
    EXPECT_THAT(taken.error().message, HasSubstr(GetParam().says));
}

std::string frame(FrameType type, const std::string& payload) {
    std::string bytes;
    append_frame(bytes, type, payload);
    return bytes;
}

INSTANTIATE_TEST_SUITE_P(Each, WrongBytes,
                         testing::Values(Wrong{"AGap",
                                               [](const auto& begin, const auto& batch) {
                                                   return Append{begin.size() + 1, batch};
                                               },
                                               "missing"},
                                         Wrong{"AnOverlap",
                                               [](const auto& begin, const auto& batch) {
                                                   return Append{begin.size() - 1, "x" + batch};
                                               },
                                               "missing"},
                                         Wrong{"AFooter",
                                               [](const auto& begin, const auto&) {
                                                   return Append{begin.size(), frame(FrameType::Footer, "x")};
                                               },
                                               "neither a record"},
                                         Wrong{"ASecondHeader",
                                               [](const auto& begin, const auto&) {
                                                   return Append{begin.size(), begin.substr(shard_magic.size())};
                                               },
                                               "neither a record"},
                                         Wrong{"ABatchEndOfNothing",
                                               [](const auto& begin, const auto&) {
                                                   return Append{begin.size(), frame(FrameType::BatchEnd, "{}")};
                                               },
                                               "no shard log"}),
                         [](const auto& row) { return row.param.name; });

struct WrongStart {
    const char* name;
    std::string bytes;
    const char* says;
};

void PrintTo(const WrongStart& row, std::ostream* out) { *out << row.name; }

class WrongStarts : public ReceivedLogsTest, public testing::WithParamInterface<WrongStart> {};

TEST_P(WrongStarts, AreRefusedAndLeaveNoFile) {
    const auto taken = logs_.append(9, {0, GetParam().bytes});
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().reason, "BadMessage");
    EXPECT_THAT(taken.error().message, HasSubstr(GetParam().says));
    EXPECT_FALSE(logs_.is_open(9));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "runs"));
}

INSTANTIATE_TEST_SUITE_P(
    Each, WrongStarts,
    testing::Values(WrongStart{"NoLog", "hello", "does not begin as one"},
                    WrongStart{"HalfAHeader", ShardEncoder(header()).take().substr(0, 40), "header is damaged"},
                    WrongStart{"AnotherEvaluation", ShardEncoder(header("another")).take(), "another evaluation"},
                    WrongStart{"AnotherRun", ShardEncoder(header("identity", "../../etc")).take(), "or run"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::test
