// The one formatter of scores.
#include "api/decimal.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace evaljob {
namespace {

struct DoubleRow {
    const char* name;
    double value;
    int digits;
    const char* text;
};
void PrintTo(const DoubleRow& row, std::ostream* out) { *out << row.name; }

class Decimal : public testing::TestWithParam<DoubleRow> {};

TEST_P(Decimal, IsTheNearestWithExactlyTheDigitsAskedFor) {
    EXPECT_EQ(decimal(GetParam().value, GetParam().digits), GetParam().text);
    EXPECT_EQ(rounded(decimal(GetParam().value, GetParam().digits), GetParam().digits), GetParam().text) << "again";
}

INSTANTIATE_TEST_SUITE_P(
    Rows, Decimal,
    testing::Values(DoubleRow{"Half", 0.5, 3, "0.500"}, DoubleRow{"One", 1, 6, "1.000000"},
                    DoubleRow{"Cut", 91.344, 2, "91.34"}, DoubleRow{"Whole", 2, 0, "2"},
                    DoubleRow{"TwoThirds", 2.0 / 3, 4, "0.6667"}, DoubleRow{"OneThird", 1.0 / 3, 6, "0.333333"},
                    DoubleRow{"AHalfGoesUp", 0.125, 2, "0.13"},
                    DoubleRow{"AHalfBehindAnEvenDigitToo", 0.0078125, 6, "0.007813"},
                    DoubleRow{"AHalfBelowZeroGoesDown", -0.125, 2, "-0.13"}, DoubleRow{"HalfOfOne", 0.5, 0, "1"},
                    DoubleRow{"OneAndAHalf", 2.5, 0, "3"},
                    // 1.005 is a little less in binary, so it is no half.
                    DoubleRow{"NearlyAHalf", 1.005, 2, "1.00"}, DoubleRow{"RunsOver", 9.996, 2, "10.00"},
                    DoubleRow{"NothingIsLeftOfIt", -0.0000004, 6, "0.000000"}, DoubleRow{"Zero", -0.0, 2, "0.00"},
                    DoubleRow{"Large", 1e15, 1, "1000000000000000.0"}, DoubleRow{"NoNumber", std::nan(""), 2, "nan"},
                    DoubleRow{"Infinite", -std::numeric_limits<double>::infinity(), 2, "-inf"}),
    [](const auto& row) { return row.param.name; });

TEST(Decimal, OfTheLargestDoubleFits) {
    EXPECT_EQ(decimal(std::numeric_limits<double>::max(), 6).size(), 309U + 7);
    EXPECT_EQ(decimal(std::numeric_limits<double>::denorm_min(), 6), "0.000000");
}

struct TextRow {
    const char* name;
    const char* number;
    int digits;
    const char* text;
    const char* percent;
};
void PrintTo(const TextRow& row, std::ostream* out) { *out << row.name; }

class Rounded : public testing::TestWithParam<TextRow> {};

TEST_P(Rounded, IsWhatStandsThereRounded) {
    EXPECT_EQ(rounded(GetParam().number, GetParam().digits), GetParam().text);
    EXPECT_EQ(percent_of(GetParam().number, GetParam().digits), GetParam().percent);
}

INSTANTIATE_TEST_SUITE_P(Rows, Rounded,
                         testing::Values(TextRow{"TwoOfThreeAreNotCut", "0.666667", 4, "0.6667", "66.6667"},
                                         TextRow{"InThreeDigits", "0.913400", 3, "0.913", "91.340"},
                                         TextRow{"AHalfGoesUp", "0.912250", 4, "0.9123", "91.2250"},
                                         TextRow{"AHalfOfAPercent", "0.912250", 2, "0.91", "91.23"},
                                         TextRow{"RunsOver", "0.999960", 4, "1.0000", "99.9960"},
                                         TextRow{"RunsOverInPercent", "0.999960", 2, "1.00", "100.00"},
                                         TextRow{"AllRight", "1.000000", 2, "1.00", "100.00"},
                                         TextRow{"None", "0.000000", 2, "0.00", "0.00"},
                                         TextRow{"FewerDigitsThanAreAskedFor", "0.5", 3, "0.500", "50.000"},
                                         TextRow{"AWholeNumber", "7", 2, "7.00", "700.00"},
                                         TextRow{"BelowZero", "-3.500001", 4, "-3.5000", "-350.0001"},
                                         TextRow{"NothingIsLeftOfIt", "-0.000001", 2, "0.00", "0.00"},
                                         TextRow{"Large", "1000000.000000", 2, "1000000.00", "100000000.00"},
                                         TextRow{"NoNumber", "nan", 2, "nan", "nan"},
                                         TextRow{"AnExponent", "1e-3", 2, "1e-3", "1e-3"},
                                         TextRow{"Empty", "", 2, "", ""}, TextRow{"APointAlone", ".", 2, ".", "."},
                                         TextRow{"OpenEnd", "1.", 2, "1.", "1."},
                                         TextRow{"TwoPoints", "1.2.3", 1, "1.2.3", "1.2.3"},
                                         TextRow{"ASignAlone", "-", 1, "-", "-"}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob
