#include "evaljob-runner/coordinator/waiting.hpp"

#include <gmock/gmock.h>

namespace evaljob::test {
namespace {

using testing::ElementsAre;

std::vector<std::uint64_t> drain(Waiting& waiting, std::int32_t rank) {
    std::vector<std::uint64_t> order;
    while (const auto batch = waiting.next(rank)) {
        order.push_back(*batch);
        waiting.remove(*batch);
    }
    return order;
}

CostModel model_of(const std::vector<BatchFeatures>& batches) {
    CostModel model;
    for (const auto& batch : batches) model.expect(batch);
    return model;
}

LongestFirst all_of(const std::vector<BatchFeatures>& batches, const CostModel& model) {
    LongestFirst waiting(batches, model);
    for (std::uint64_t i = 0; i < batches.size(); ++i) waiting.put(i);
    return waiting;
}

TEST(LongestFirst, BySizeThenInTheManifestsOrder) {
    const std::vector<BatchFeatures> batches{{0, 4, 10}, {0, 4, 30}, {0, 4, 20}, {0, 4, 30}, {0, 1, 10}};
    auto waiting = all_of(batches, model_of(batches));
    EXPECT_THAT(drain(waiting, 0), ElementsAre(1, 3, 2, 0, 4));
    EXPECT_EQ(waiting.size(), 0U);
    EXPECT_EQ(waiting.cost(), 0);
}

TEST(LongestFirst, SizesThatDifferByAHairAreEqual) {
    const std::vector<BatchFeatures> batches{{0, 4, 100'000}, {0, 4, 100'001}, {0, 4, 200'000}, {0, 4, 100'002}};
    auto waiting = all_of(batches, model_of(batches));
    EXPECT_THAT(drain(waiting, 0), ElementsAre(2, 0, 1, 3));
}

TEST(LongestFirst, EqualPredictionsOfDifferentBatchesAreInTheManifestsOrder) {
    const std::vector<BatchFeatures> batches{{0, 4, 20}, {1, 4, 20}, {0, 4, 20}, {1, 4, 20}};
    auto waiting = all_of(batches, model_of(batches));
    EXPECT_THAT(drain(waiting, 0), ElementsAre(0, 1, 2, 3));
}

TEST(LongestFirst, ARefitOrdersAnew) {
    const std::vector<BatchFeatures> batches{{0, 8, 100}, {0, 1, 400}, {1, 1, 10}, {1, 1, 10}};
    CostModel model = model_of(batches);
    auto waiting = all_of(batches, model);
    for (int i = 0; i < 20; ++i) model.observe({1, 1, 10}, 0, 1'000);
    for (int i = 0; i < 20; ++i) model.observe({0, 8, 100}, 0, 8);
    for (int i = 0; i < 20; ++i) model.observe({0, 1, 400}, 0, 1);
    waiting.refit(model);
    EXPECT_THAT(drain(waiting, 0), ElementsAre(2, 3, 0, 1));
}

TEST(LongestFirst, RefitsOnlyWhenTheObservationsHaveGrownByHalf) {
    const std::vector<BatchFeatures> batches{{0, 4, 10}, {1, 2, 10}};
    CostModel model = model_of(batches);
    auto waiting = all_of(batches, model);
    for (int i = 0; i < 100; ++i) model.observe({0, 4, 10}, 0, 1'000);
    waiting.refit(model);
    EXPECT_EQ(waiting.next(0), 0U);
    for (int i = 0; i < 49; ++i) model.observe({1, 2, 10}, 0, 100'000);
    waiting.refit(model);
    EXPECT_EQ(waiting.next(0), 0U);
    model.observe({1, 2, 10}, 0, 100'000);
    waiting.refit(model);
    EXPECT_EQ(waiting.next(0), 1U);
}

TEST(LongestFirst, WhatComesBackTakesItsPlace) {
    const std::vector<BatchFeatures> batches(4, {0, 4, 10});
    auto waiting = all_of(batches, model_of(batches));
    waiting.remove(0);
    waiting.remove(2);
    waiting.remove(2);  // nothing is removed twice
    EXPECT_EQ(waiting.size(), 2U);
    waiting.put(0);
    waiting.put(0);
    EXPECT_EQ(waiting.size(), 3U);
    EXPECT_THAT(drain(waiting, 0), ElementsAre(0, 1, 3));
}

TEST(LongestFirst, KnowsWhatAllTogetherCost) {
    const std::vector<BatchFeatures> batches(10, {0, 4, 10});
    CostModel model = model_of(batches);
    auto waiting = all_of(batches, model);
    model.observe({0, 4, 10}, 0, 50);
    waiting.refit(model);
    EXPECT_NEAR(waiting.cost(), 500, 1e-6);
    waiting.remove(3);
    EXPECT_NEAR(waiting.cost(), 450, 1e-6);
    waiting.put(3);
    EXPECT_NEAR(waiting.cost(), 500, 1e-6);
}

FixedStride stride(std::int32_t ranks, std::uint64_t batches) {
    FixedStride waiting(ranks);
    for (std::uint64_t i = 0; i < batches; ++i) waiting.put(i);
    return waiting;
}

TEST(FixedStride, EveryRankHasItsOwnInOrder) {
    auto waiting = stride(3, 8);
    EXPECT_THAT(drain(waiting, 1), ElementsAre(1, 4, 7));
    EXPECT_THAT(drain(waiting, 0), ElementsAre(0, 3, 6));
    EXPECT_THAT(drain(waiting, 2), ElementsAre(2, 5));
}

TEST(FixedStride, TheLostOnesPartIsOthersAfterTheirOwn) {
    auto waiting = stride(3, 8);
    waiting.set_present(2, false);
    EXPECT_THAT(drain(waiting, 1), ElementsAre(1, 4, 7, 2, 5));
}

TEST(FixedStride, KnowsHowManyWaitAndHowManyForAnyone) {
    auto waiting = stride(3, 8);
    EXPECT_EQ(waiting.size(), 8U);
    EXPECT_EQ(waiting.for_anyone(), 0U);
    waiting.set_present(2, false);
    waiting.set_present(2, false);
    EXPECT_EQ(waiting.for_anyone(), 2U);
    waiting.remove(2);
    waiting.remove(2);  // may be gone already
    waiting.remove(0);
    EXPECT_EQ(waiting.size(), 6U);
    EXPECT_EQ(waiting.for_anyone(), 1U);
    waiting.put(2);
    waiting.put(2);
    EXPECT_EQ(waiting.for_anyone(), 2U);
    waiting.set_present(2, true);
    EXPECT_EQ(waiting.size(), 7U);
    EXPECT_EQ(waiting.for_anyone(), 0U);
}

TEST(FixedStride, WhoComesBackHasWhatIsLeftOfItsPart) {
    auto waiting = stride(2, 6);
    waiting.set_present(1, false);
    waiting.remove(1);
    waiting.set_present(1, true);
    EXPECT_THAT(drain(waiting, 0), ElementsAre(0, 2, 4));
    EXPECT_THAT(drain(waiting, 1), ElementsAre(3, 5));
}

TEST(FixedStride, ARankBeyondThoseOfTheStartHasNoPart) {
    auto waiting = stride(2, 4);
    EXPECT_EQ(waiting.next(2), std::nullopt);
    waiting.set_present(0, false);
    EXPECT_EQ(waiting.next(2), 0U);
}

}  // namespace
}  // namespace evaljob::test
