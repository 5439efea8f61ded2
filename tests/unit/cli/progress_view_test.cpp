#include "cli/progress_view.hpp"

#include <gtest/gtest.h>

namespace evaljob {
namespace {

RunView half_way() {
    return {.status = "Running",
            .nodes = "4/4",
            .samples_done = 5000,
            .samples_total = 10'000,
            .samples_per_second = 2431.4,
            .eta_seconds = 2.1,
            .ranks_connected = 7,
            .world_size = 8};
}

TEST(ProgressView, BarShowsShareSamplesRateEtaAndRanks) {
    EXPECT_EQ(bar_line(half_way(), 80),
              "Running   ██████████░░░░░░░░░░░ 50 %  5,000/10,000  2,431/s  ETA 2 s  ranks 7/8");
}

TEST(ProgressView, BarGivesWayOnANarrowTerminal) {
    EXPECT_EQ(bar_line(half_way(), 30), "Running    50 %  5,000/10,000 ");
    EXPECT_EQ(bar_line(half_way(), 0), "");
}

TEST(ProgressView, BeforeTheFirstReportThereAreOnlyNodes) {
    const RunView view{.status = "Starting", .nodes = "1/4", .world_size = 8};
    EXPECT_EQ(bar_line(view, 80), "Starting   nodes 1/4");
    EXPECT_EQ(plain_line(view), "Starting: nodes 1/4");
}

TEST(ProgressView, PlainLineSaysTheSameInWords) {
    EXPECT_EQ(plain_line(half_way()), "Running: 5,000 of 10,000 samples (50 %), 2,431 a second, ranks 7/8, ETA 2 s");
    RunView done = half_way();
    done.samples_done = done.samples_total;
    EXPECT_EQ(plain_line(done), "Running: 10,000 of 10,000 samples (100 %), 2,431 a second, ranks 7/8");
}

struct Words {
    const char* name;
    double seconds;
    const char* words;
};
class Durations : public testing::TestWithParam<Words> {};
TEST_P(Durations, AreSaidInWords) { EXPECT_EQ(duration_words(GetParam().seconds), GetParam().words); }
INSTANTIATE_TEST_SUITE_P(ProgressView, Durations,
                         testing::Values(Words{"Nothing", 0, "0 s"}, Words{"Rounded", 1.5, "2 s"},
                                         Words{"Negative", -3, "0 s"}, Words{"Minutes", 200, "3 min 20 s"},
                                         Words{"Hours", 7500, "2 h 5 min"}),
                         [](const auto& row) { return row.param.name; });

TEST(ProgressView, NumbersHaveCommas) {
    EXPECT_EQ(with_commas(0), "0");
    EXPECT_EQ(with_commas(999), "999");
    EXPECT_EQ(with_commas(1000), "1,000");
    EXPECT_EQ(with_commas(-1234567), "-1,234,567");
}

}  // namespace
}  // namespace evaljob
