#include "evaljob-runner/coordinator/cost_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

namespace evaljob::test {
namespace {

using Truth = std::function<double(const BatchFeatures&)>;

struct Learns {
    const char* name;
    Truth ms;
    double spread;           // log-normal, around the truth
    double tolerance;        // of a prediction; of one below a tenth of the mean batch, in that tenth
    bool same_size = false;  // every batch has 1,000 bytes
};

class CostModelLearns : public testing::TestWithParam<Learns> {
protected:
    static BatchFeatures batch(std::mt19937& random, bool same_size) {
        const auto samples = static_cast<std::uint32_t>(1 + random() % 8);
        return {0, samples, same_size ? 1'000 : 1'000 + random() % 100'000};
    }
};

TEST_P(CostModelLearns, WhatABatchTakes) {
    const Learns& row = GetParam();
    std::mt19937 random(7);
    std::vector<BatchFeatures> batches;
    CostModel model;
    for (int i = 0; i < 400; ++i) {
        batches.push_back(batch(random, row.same_size));
        model.expect(batches.back());
    }
    for (int i = 0; i < 200; ++i) {
        const double u = (static_cast<double>(random() % 2'000) - 1'000) / 1'000;  // the mean is 0
        model.observe(batches[static_cast<std::size_t>(i)], i % 8,
                      row.ms(batches[static_cast<std::size_t>(i)]) * std::exp(row.spread * u));
    }
    double mean = 0;
    for (const BatchFeatures& one : batches) mean += row.ms(one) / static_cast<double>(batches.size());
    for (std::size_t i = 200; i < 400; ++i) {
        const double truth = row.ms(batches[i]);
        EXPECT_NEAR(model.predict(batches[i]), truth, row.tolerance * std::max(truth, mean / 10));
    }
}

INSTANTIATE_TEST_SUITE_P(
    Table, CostModelLearns,
    testing::Values(Learns{"BySamples", [](const auto& b) { return 12.0 * b.samples; }, 0, 0.02},
                    // The first fits are far off for batches of a hundredth of the largest one, and the ranks learned a
                    // little of it.
                    Learns{"ByBytes", [](const auto& b) { return 0.01 * static_cast<double>(b.bytes); }, 0, 0.05},
                    Learns{"ByBoth",
                           [](const auto& b) { return 20.0 * b.samples + 0.005 * static_cast<double>(b.bytes); }, 0,
                           0.02},
                    // 200 batches that are off by a third each in the mean tell θ to a few per cent of the mean batch.
                    Learns{"ByBothNoisy",
                           [](const auto& b) { return 20.0 * b.samples + 0.005 * static_cast<double>(b.bytes); }, 0.5,
                           0.2},
                    Learns{"BySamplesOfOneSize", [](const auto& b) { return 12.0 * b.samples; }, 0, 0.02, true}),
    [](const auto& row) { return row.param.name; });

TEST(CostModel, BeforeAnythingIsLearnedMoreSamplesAndMoreBytesCostMore) {
    CostModel model;
    const BatchFeatures small{0, 4, 100};
    const BatchFeatures more{0, 8, 100};
    const BatchFeatures larger{0, 4, 1'000};
    for (const auto& batch : {small, more, larger}) model.expect(batch);
    EXPECT_FALSE(model.known());
    EXPECT_LT(model.predict(small), model.predict(more));
    EXPECT_LT(model.predict(small), model.predict(larger));
}

TEST(CostModel, BeforeAnythingIsLearnedABatchTakesAtMostWhatOneOfThemSays) {
    CostModel model;
    const BatchFeatures small{0, 4, 100};
    const BatchFeatures large{0, 4, 300};
    const BatchFeatures many{0, 16, 200};
    for (const auto& batch : {small, large, many}) model.expect(batch);
    EXPECT_DOUBLE_EQ(model.at_most(small) / model.at_most(large), 1.0 / 3);  // 4 / 8 by samples, 1 / 2 by bytes
    EXPECT_DOUBLE_EQ(model.at_most(many) / model.at_most(large), 2 / 1.5);
}

TEST(CostModel, KindsAreLearnedApart) {
    CostModel model;
    for (std::uint32_t kind = 0; kind < 2; ++kind)
        for (int i = 0; i < 100; ++i) model.expect({kind, 4, 100});
    for (int i = 0; i < 20; ++i) model.observe({0, 4, 100}, 0, 100);
    EXPECT_NEAR(model.predict({1, 4, 100}), 100, 1) << "as the others, while nothing is known";
    for (int i = 0; i < 20; ++i) model.observe({1, 4, 100}, 0, 10'000);
    EXPECT_NEAR(model.predict({0, 4, 100}), 100, 1);
    EXPECT_NEAR(model.predict({1, 4, 100}), 10'000, 100);
}

TEST(CostModel, OneFarOffCountsOnlyAFewTimes) {
    CostModel model;
    for (int i = 0; i < 100; ++i) model.expect({0, 4, 100});
    for (int i = 0; i < 50; ++i) model.observe({0, 4, 100}, i % 4, 100);
    model.observe({0, 4, 100}, 0, 1'000'000);
    // As 5 times what was expected: one of 51 of its kind, and one of some 12 of its rank, who is one of four.
    EXPECT_LT(model.predict({0, 4, 100}), 115);
    EXPECT_LT(model.factor(0), 1.5);
}

TEST(CostModel, LearnsThatEverythingHasBecomeSlower) {
    CostModel model;
    for (int i = 0; i < 100; ++i) model.expect({0, 4, 100});
    for (int i = 0; i < 1'000; ++i) model.observe({0, 4, 100}, i % 4, 100);
    for (int i = 0; i < 2'000; ++i) model.observe({0, 4, 100}, i % 4, 2'000);
    EXPECT_NEAR(model.predict({0, 4, 100}) * model.factor(1), 2'000, 200);
}

TEST(CostModel, ASlowRankHasItsOwnFactor) {
    std::mt19937 random(3);
    CostModel model;
    for (int i = 0; i < 800; ++i) model.expect({0, 4, 100 + random() % 1'000});
    for (int i = 0; i < 800; ++i) {
        const BatchFeatures batch{0, 4, 100 + random() % 1'000};
        const int rank = i % 8;
        model.observe(batch, rank, (rank == 5 ? 3.0 : 1.0) * static_cast<double>(batch.bytes));
    }
    EXPECT_NEAR(model.factor(5) / model.factor(1), 3, 0.3);
    EXPECT_NEAR(model.predict({0, 4, 600}) * model.factor(1), 600, 60);
    EXPECT_DOUBLE_EQ(model.factor(99), 1) << "one that nobody knows";
}

TEST(CostModel, WhatTellsNothingChangesNothing) {
    CostModel model;
    model.expect({0, 4, 100});
    model.observe({0, 4, 100}, 0, 0);
    model.observe({7, 4, 100}, 0, 10);  // of a kind that does not exist
    EXPECT_FALSE(model.known());
}

}  // namespace
}  // namespace evaljob::test
