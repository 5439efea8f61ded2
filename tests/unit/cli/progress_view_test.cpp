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
    EXPECT_EQ(plain_line(done), "Running: 10,000 of 10,000 samples (100 %), 2,431 a second");
}

TEST(ProgressView, AtTheEndNothingIsExpectedAndNobodyMissed) {
    RunView done = half_way();
    done.status = "Merging";
    done.samples_done = done.samples_total;
    done.ranks_connected = 0;
    EXPECT_EQ(bar_line(done, 60), "Merging   ███████████████████ 100 %  10,000/10,000  2,431/s");
    EXPECT_EQ(plain_line(done), "Merging: 10,000 of 10,000 samples (100 %), 2,431 a second");
}

// While a server was away the bar stood still, and nothing said why.
TEST(ProgressView, SaysWhatIsWaitedFor) {
    RunView view = half_way();
    view.waiting_for = "http://127.0.0.1:9/v1: Connection refused\x1b[2J";
    EXPECT_EQ(bar_line(view, 100),
              "Running    50 %  5,000/10,000  waiting for http://127.0.0.1:9/v1: Connection refused\\x1b[2J");
    EXPECT_EQ(plain_line(view),
              "Running: 5,000 of 10,000 samples (50 %), 2,431 a second, ranks 7/8, waiting for "
              "http://127.0.0.1:9/v1: Connection refused\\x1b[2J");
    view.samples_total = view.samples_done = 0;
    EXPECT_EQ(plain_line(view), "Running: waiting for http://127.0.0.1:9/v1: Connection refused\\x1b[2J");
    EXPECT_EQ(bar_line(view, 30), "Running    waiting for http://");
    view.waiting_for = "größe";
    EXPECT_EQ(bar_line(view, 26), "Running    waiting for grö") << "a column is a character, not a byte";
}

struct Speed {
    const char* name;
    double per_second;
    const char* bar;
    const char* words;
};
void PrintTo(const Speed& row, std::ostream* out) { *out << row.name; }
class Speeds : public testing::TestWithParam<Speed> {};

// 0.3 samples a second were "0 a second".
TEST_P(Speeds, AreNeverCutToNothing) {
    RunView view = half_way();
    view.samples_per_second = GetParam().per_second;
    EXPECT_NE(bar_line(view, 80).find(std::string("  ") + GetParam().bar + "  ETA"), std::string::npos)
        << bar_line(view, 80);
    EXPECT_NE(plain_line(view).find(std::string(", ") + GetParam().words + ", ranks"), std::string::npos)
        << plain_line(view);
}

INSTANTIATE_TEST_SUITE_P(ProgressView, Speeds,
                         testing::Values(Speed{"Fast", 2431.4, "2,431/s", "2,431 a second"},
                                         Speed{"Ten", 9.96, "10/s", "10 a second"},
                                         Speed{"AFew", 2.44, "2.4/s", "2.4 a second"},
                                         Speed{"One", 0.999, "1.0/s", "1.0 a second"},
                                         Speed{"LessThanOne", 0.3, "0.30/s", "0.30 a second"},
                                         Speed{"SomeAMinute", 0.05, "3.0/min", "3.0 a minute"},
                                         Speed{"OneAMinute", 1.0 / 60, "1.0/min", "1.0 a minute"},
                                         Speed{"SomeAnHour", 0.001, "3.6/h", "3.6 an hour"}),
                         [](const auto& row) { return row.param.name; });

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
