#include "evaljob-runner/merge/statistics.hpp"

#include <gtest/gtest.h>

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

TEST(Decimal, HasExactlyTheDigitsAskedFor) {
    EXPECT_EQ(decimal(0.5, 3), "0.500");
    EXPECT_EQ(decimal(1, 6), "1.000000");
    EXPECT_EQ(decimal(91.344, 2), "91.34");
    EXPECT_EQ(decimal(2, 0), "2");
}

}  // namespace
}  // namespace evaljob
