#include "evaljob-runner/merge/chrome_trace.hpp"

#include <gtest/gtest.h>

#include "api/json.hpp"

namespace evaljob::test {
namespace {

ShardTrace shard(std::int32_t rank, std::int32_t node, std::vector<BatchEnd> batches) {
    ShardTrace trace;
    trace.header.rank = rank;
    trace.header.node_rank = node;
    trace.header.attempt = 2;
    trace.header.device = "cpu";
    trace.batches = std::move(batches);
    return trace;
}

TEST(ChromeTrace, HasANodeAsProcessARankAsThreadAndABatchAsEvent) {
    const Json trace = Json::parse(chrome_trace({shard(0, 0, {{7, {1, 4}, 1'000'500, 1'000'900, 16}}),
                                                 shard(0, 0, {{8, {2, 1}, 1'002'000, 1'001'000, 3}}),
                                                 shard(3, 1, {{9, {1, 5}, 1'000'000, 1'000'100, 16}})}));
    const Json& events = trace["traceEvents"];
    ASSERT_EQ(events.size(), 7U);
    EXPECT_EQ(events[0],
              Json::parse(R"({"name": "process_name", "ph": "M", "pid": 0, "tid": 0, "args": {"name": "node 0"}})"));
    EXPECT_EQ(
        events[1],
        Json::parse(R"({"name": "thread_name", "ph": "M", "pid": 0, "tid": 0, "args": {"name": "rank 0, cpu"}})"));
    EXPECT_EQ(events[2],
              Json::parse(R"({"name": "batch 7", "cat": "batch", "ph": "X", "pid": 0, "tid": 0, "ts": 500, "dur": 400,
                                         "args": {"samples": 16, "lease": "1.4", "attempt": 2}})"));
    EXPECT_EQ(events[3]["dur"], 0) << "a clock that was set back";
    EXPECT_EQ(events[5]["tid"], 3);
    EXPECT_EQ(events[6]["ts"], 0) << "the first of all";
}

TEST(ChromeTrace, OfNothingIsEmpty) {
    EXPECT_EQ(Json::parse(chrome_trace({})), Json::parse(R"({"traceEvents": [], "displayTimeUnit": "ms"})"));
}

}  // namespace
}  // namespace evaljob::test
