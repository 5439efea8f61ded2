#include "evaljob-runner/merge/statistics.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace evaljob {
namespace {

/// Intervals and standard errors computed elsewhere: wilson_reference.py made the numbers with 50 digits. The rows
/// called Newcombe… are the published examples (Statistics in Medicine 17, 1998, page 861, method 3: 0.2553 to 0.3662,
/// …).
struct Row {
    const char* name;
    std::uint64_t successes, n;
    const char* value;
    const char* stderr_;
    const char* low;
    const char* high;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

const Row rows[] = {
#include "wilson_reference.inc"
};

class Statistics : public testing::TestWithParam<Row> {};

TEST_P(Statistics, AgreeWithNumbersComputedElsewhere) {
    Proportion share{GetParam().successes, GetParam().n};
    Interval interval = wilson(share);
    EXPECT_EQ(metric_value(share.value()), GetParam().value);
    EXPECT_EQ(metric_value(share.standard_error()), GetParam().stderr_);
    EXPECT_EQ(metric_value(interval.low), GetParam().low);
    EXPECT_EQ(metric_value(interval.high), GetParam().high);
    EXPECT_LE(interval.low, share.value());
    EXPECT_GE(interval.high, share.value());
}

INSTANTIATE_TEST_SUITE_P(Rows, Statistics, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

TEST(StatisticsOfNothing, KnowNothing) {
    Interval interval = wilson({0, 0});
    EXPECT_EQ(interval.low, 0);
    EXPECT_EQ(interval.high, 1);
    EXPECT_EQ(Proportion{}.value(), 0);
    EXPECT_EQ(Proportion{}.standard_error(), 0);
}

/// student_reference.py made the numbers.
struct MeanRow {
    const char* name;
    std::vector<Points> points;
    const char* value;
    const char* stderr_;
    const char* low;
    const char* high;
};
void PrintTo(const MeanRow& row, std::ostream* out) { *out << row.name; }

const MeanRow mean_rows[] = {
#include "student_reference.inc"
};

class Means : public testing::TestWithParam<MeanRow> {};

TEST_P(Means, AgreeWithNumbersComputedElsewhereInWhateverOrder) {
    Mean mean;
    Mean backwards;
    const std::vector<Points>& points = GetParam().points;
    for (const Points one : points) mean.add(one);
    for (auto one = points.rbegin(); one != points.rend(); ++one) backwards.add(*one);
    EXPECT_EQ(mean.n(), points.size());
    EXPECT_EQ(metric_value(mean.value()), GetParam().value);
    EXPECT_EQ(metric_value(mean.standard_error()), GetParam().stderr_);
    const auto interval = student(mean);
    ASSERT_TRUE(interval);
    EXPECT_EQ(metric_value(interval->low), GetParam().low);
    EXPECT_EQ(metric_value(interval->high), GetParam().high);
    EXPECT_EQ(mean.value(), backwards.value());
    EXPECT_EQ(mean.standard_error(), backwards.standard_error());
}

INSTANTIATE_TEST_SUITE_P(Rows, Means, testing::ValuesIn(mean_rows), [](const auto& row) { return row.param.name; });

TEST(MeanOfFew, KnowsNoInterval) {
    Mean mean;
    EXPECT_EQ(mean.value(), 0);
    EXPECT_FALSE(student(mean));
    mean.add(500'000);
    EXPECT_EQ(mean.value(), 0.5);
    EXPECT_EQ(mean.standard_error(), 0);
    EXPECT_FALSE(student(mean));
}

TEST(MeanOfShares, CountsTheRightOnes) {
    Mean mean;
    for (int i = 0; i < 7; ++i) mean.add(i < 3 ? full_points : 0);
    EXPECT_EQ(mean.share().successes, 3U);
    EXPECT_EQ(mean.share().n, 7U);
}

struct PassRow {
    const char* name;
    std::uint64_t n, right, k;
    double chance;
};

class PassAt : public testing::TestWithParam<PassRow> {};

/// Against counting: of all sets of k of the n answers, those that hold a right one.
double counted(const PassRow& row) {
    double sets = 0;
    double passed = 0;
    for (std::uint64_t set = 0; set < (std::uint64_t{1} << row.n); ++set) {
        if (static_cast<std::uint64_t>(__builtin_popcountll(set)) != row.k) continue;
        ++sets;
        passed += (set & ((std::uint64_t{1} << row.right) - 1)) != 0 ? 1 : 0;
    }
    return passed / sets;
}

TEST_P(PassAt, IsTheShareOfSetsWithARightAnswer) {
    const PassRow row = GetParam();
    EXPECT_NEAR(pass_at(row.n, row.right, row.k), row.chance, 1e-12);
    EXPECT_NEAR(counted(row), row.chance, 1e-12);
}

const PassRow pass_rows[] = {
    {"NoneRight", 5, 0, 3, 0},       {"AllRight", 5, 5, 1, 1},  {"OneOfOne", 1, 1, 1, 1},  {"OneAnswer", 4, 1, 1, 0.25},
    {"TwoOfFour", 4, 2, 2, 5.0 / 6}, {"AllOfThem", 4, 1, 4, 1}, {"FewWrong", 10, 8, 3, 1}, {"OneOfTen", 10, 1, 5, 0.5},
};

INSTANTIATE_TEST_SUITE_P(Rows, PassAt, testing::ValuesIn(pass_rows), [](const auto& row) { return row.param.name; });

TEST(WilsonOfTrials, IsThatOfAShareOfSoMany) {
    const Interval a = wilson(Proportion{3, 10});
    const Interval b = wilson(0.3, 10);
    EXPECT_EQ(a.low, b.low);
    EXPECT_EQ(a.high, b.high);
    EXPECT_LT(wilson(0.3, 5).low, a.low);
}

TEST(PointsText, HasSixDigits) {
    EXPECT_EQ(points_text(0), "0.000000");
    EXPECT_EQ(points_text(666'667), "0.666667");
    EXPECT_EQ(points_text(full_points), "1.000000");
    EXPECT_EQ(points_text(-3'500'001), "-3.500001");
    EXPECT_EQ(points_text(-1), "-0.000001");
    EXPECT_EQ(points_text(-most_points), "-1000000.000000");
}

}  // namespace
}  // namespace evaljob
