#include "evaljob-runner/merge/timeline.hpp"

#include <gtest/gtest.h>

namespace evaljob {
namespace {

ShardTrace trace(std::int32_t rank, std::vector<BatchEnd> batches) {
    ShardTrace t{"rank-" + std::to_string(rank) + ".shard", {}, 0, std::move(batches)};
    t.header.rank = rank;
    t.header.node_rank = rank / 2;
    return t;
}

BatchEnd batch(std::uint64_t number, std::uint64_t lease, std::int64_t begin_s, std::int64_t end_s) {
    return {number, {1, lease}, begin_s * 1'000'000, end_s * 1'000'000, 32};
}

TEST(Timeline, SaysForHowMuchOfTheTimeEachRankWorked) {
    Timeline t =
        timeline_of({trace(0, {batch(0, 0, 100, 105), batch(1, 1, 105, 110)}), trace(3, {batch(2, 2, 102, 106)})});
    ASSERT_EQ(t.panels.size(), 1u);
    ASSERT_EQ(t.panels[0].lanes.size(), 2u);
    EXPECT_DOUBLE_EQ(t.panels[0].lanes[0].busy, 1.0);
    EXPECT_DOUBLE_EQ(t.panels[0].lanes[1].busy, 0.4);
    EXPECT_DOUBLE_EQ(t.panels[0].busy, 0.7);
    EXPECT_EQ(t.panels[0].lanes[1].rank, 3);
    EXPECT_EQ(t.panels[0].lanes[1].node, 1);
    EXPECT_DOUBLE_EQ(t.panels[0].lanes[1].spans.at(0).from, 0.2);
    EXPECT_DOUBLE_EQ(t.panels[0].lanes[1].spans.at(0).to, 0.6);
}

TEST(Timeline, SaysHowFarTheRunWasFromTheLeastPossible) {
    // 14 s of work; the second rank is there after 2 s: 8 s would have done.
    const auto late =
        timeline_of({trace(0, {batch(0, 0, 100, 105), batch(1, 1, 105, 110)}), trace(3, {batch(2, 2, 102, 106)})});
    EXPECT_NEAR(late.panels.at(0).over_bound, 10.0 / 8, 1e-9);
    const auto longest = timeline_of({trace(0, {batch(0, 0, 100, 110)}), trace(1, {batch(1, 1, 100, 101)})});
    EXPECT_NEAR(longest.panels.at(0).over_bound, 1, 1e-9);
    // What was done again was of no use.
    const auto again = timeline_of({trace(0, {batch(0, 1, 100, 110)}), trace(1, {batch(0, 2, 100, 120)})});
    EXPECT_NEAR(again.panels.at(0).over_bound, 2, 1e-9);
}

// A server was asked 8 batches at a time, and the run said that it took 0.222 times the least possible.
TEST(Timeline, SaysNoLeastOfARankThatHasSeveralBatchesAtATime) {
    const auto several = timeline_of({trace(0, {batch(0, 0, 0, 10), batch(1, 1, 0, 10), batch(2, 2, 1, 12)})});
    EXPECT_EQ(several.panels.at(0).over_bound, 0);
    ShardTrace slewed = trace(0, {batch(0, 0, 0, 10), batch(1, 1, 10, 20)});
    slewed.batches[1].begin_us -= 100;  // the clock was put back a little
    EXPECT_NEAR(timeline_of({slewed}).panels.at(0).over_bound, 1, 1e-9);
}

TEST(Timeline, CountsOverlappingBatchesOfARankOnce) {
    Timeline t = timeline_of({trace(0, {batch(0, 0, 0, 10), batch(1, 1, 5, 10), batch(2, 2, 8, 20)})});
    EXPECT_DOUBLE_EQ(t.panels.at(0).lanes.at(0).busy, 1.0);
    EXPECT_EQ(t.panels[0].lanes[0].batches, 3u);
    EXPECT_EQ(t.panels[0].lanes[0].samples, 96u);
}

TEST(Timeline, MarksABatchThatStandsElsewhereUnderALowerLease) {
    Timeline t = timeline_of({trace(1, {batch(7, 9, 50, 60)}), trace(0, {batch(7, 3, 10, 20)})});
    EXPECT_EQ(t.repeated_batches, 1u);
    EXPECT_FALSE(t.panels.at(0).lanes.at(0).spans.at(0).repeated);
    EXPECT_TRUE(t.panels.at(0).lanes.at(1).spans.at(0).repeated);
}

TEST(Timeline, CountsBatchesThatWereEvaluatedInPartsUnderTheLeaseThatCounts) {
    BatchEnd split = batch(0, 3, 0, 10);
    split.parts = 2;
    BatchEnd again = batch(1, 9, 0, 10);
    again.parts = 4;
    EXPECT_EQ(split_batches({trace(0, {split, batch(1, 4, 10, 20)}), trace(1, {again, batch(2, 5, 0, 10)})}), 1u);
    EXPECT_EQ(split_batches({trace(0, {batch(0, 0, 0, 10)})}), 0u);
}

TEST(Timeline, ARunThatWasResumedLaterHasTwoPanels) {
    Timeline t = timeline_of({trace(0, {batch(0, 0, 0, 10), batch(1, 1, 4000, 4010)}), trace(1, {batch(2, 2, 0, 10)})});
    ASSERT_EQ(t.panels.size(), 2u);
    EXPECT_EQ(t.panels[0].lanes.size(), 2u);
    EXPECT_EQ(t.panels[1].lanes.size(), 1u);
    EXPECT_DOUBLE_EQ(t.panels[1].busy, 1.0);
}

TEST(Timeline, DrawsNoMoreThanAScreenCanShow) {
    std::vector<BatchEnd> batches;
    for (std::int64_t i = 0; i < 100'000; ++i)
        batches.push_back(
            {static_cast<std::uint64_t>(i), {1, static_cast<std::uint64_t>(i)}, i * 1000, i * 1000 + 990, 32});
    Timeline t = timeline_of({trace(0, std::move(batches))});
    EXPECT_LE(t.panels.at(0).lanes.at(0).spans.size(), 1000u);
    EXPECT_EQ(t.panels[0].lanes[0].batches, 100'000u);
    EXPECT_NEAR(t.panels[0].busy, 0.99, 0.001);
}

TEST(Timeline, OfClocksThatRunBackwardsStaysInBounds) {
    Timeline t = timeline_of({trace(0, {batch(0, 0, 10, 5)})});
    ASSERT_EQ(t.panels.size(), 1u);
    EXPECT_GE(t.panels[0].lanes.at(0).busy, 0);
    EXPECT_LE(t.panels[0].lanes.at(0).busy, 1);
}

TEST(Timeline, OfNothingIsEmpty) { EXPECT_TRUE(timeline_of({}).panels.empty()); }

}  // namespace
}  // namespace evaljob
