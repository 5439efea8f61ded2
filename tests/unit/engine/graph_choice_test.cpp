// How batches of one size are computed, and when a graph is kept: on pretended times.
#include "evaljob-runner/engine/graph_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <iterator>
#include <ostream>

namespace evaljob::test {
namespace {

using testing::HasSubstr;

char letter_of(const GraphChoice& choice) {
    switch (choice.next()) {
        case GraphRun::Eager:
            return choice.times() ? 'E' : 'e';
        case GraphRun::Record:
            return 'c';
        case GraphRun::Replay:
            return choice.times() ? 'R' : 'r';
    }
    return '?';
}

struct Row {
    const char* name;
    std::vector<double> eager;     // milliseconds, one after the other; the last one from then on
    std::vector<double> replayed;  // the same
    int refused_at = -1;           // the run at which it is given up
    std::string runs;              // e: eager, c: recorded, r: replayed; capital: timed
    std::string verdict;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

const Row rows[] = {
    {"FasterIsKept", {0.5}, {0.2}, -1, "eeeEEEEEcRRRRRrrr", "replayed: 0.200 ms with a graph, 0.500 ms without"},
    {"SlowerIsNot", {0.2}, {0.5}, -1, "eeeEEEEEcRRRRReee", "not replayed: 0.500 ms with a graph, 0.200 ms without"},
    {"AsFastIsNot", {0.2}, {0.2}, -1, "eeeEEEEEcRRRRReee", "not replayed: 0.200 ms"},
    {"WarmingUpDoesNotCount", {90, 90, 90, 0.2}, {0.3}, -1, "eeeEEEEEcRRRRReee", "0.300 ms with a graph, 0.200 ms"},
    {"OneSlowRunDoesNotDecide", {1, 1, 1, 1}, {99, 0.5}, -1, "eeeEEEEEcRRRRRrrr", "replayed: 0.500 ms"},
    {"TwoFastRunsDoNotDecide", {1}, {0.1, 0.1, 3}, -1, "eeeEEEEEcRRRRReee", "not replayed: 3.000 ms"},
    {"CannotBeRecorded", {0.5}, {0.2}, 8, "eeeEEEEEceeeeeeee", "not replayed: no"},
    {"GivenUpBefore", {0.5}, {0.2}, 1, "eeeeee", "not replayed: no"},
    {"GivenUpWhenItWasKept", {0.5}, {0.2}, 15, "eeeEEEEEcRRRRRrreee", "not replayed: no"},
};

class Choice : public testing::TestWithParam<Row> {};
INSTANTIATE_TEST_SUITE_P(Graph, Choice, testing::ValuesIn(rows),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(Choice, IsMadeOnTheBatchesThemselves) {
    const Row& row = GetParam();
    const auto time = [](const std::vector<double>& times, std::size_t run) {
        return times[std::min(run, times.size() - 1)];
    };
    GraphChoice choice;
    std::string runs;
    std::size_t eager = 0;
    std::size_t replayed = 0;
    for (std::size_t run = 0; run < row.runs.size(); ++run) {
        runs += letter_of(choice);
        if (static_cast<int>(run) == row.refused_at)
            choice.give_up("no");
        else if (choice.next() == GraphRun::Replay)
            choice.ran(time(row.replayed, replayed++));
        else if (choice.next() == GraphRun::Eager)
            choice.ran(time(row.eager, eager++));
        else
            choice.ran(0);
    }
    EXPECT_EQ(runs, row.runs);
    EXPECT_THAT(choice.verdict(), HasSubstr(row.verdict));
}

TEST(GraphChoice, SaysNothingBeforeItIsMade) {
    GraphChoice choice;
    for (int run = 0; run < GraphChoice::warm_up + 2 * GraphChoice::timed; ++run) {
        EXPECT_EQ(choice.verdict(), "") << run;
        choice.ran(1);
    }
    EXPECT_EQ(choice.verdict(), "");
    choice.ran(1);  // one of them was the recording
    EXPECT_NE(choice.verdict(), "");
}

}  // namespace
}  // namespace evaljob::test
