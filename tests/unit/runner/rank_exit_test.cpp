#include "evaljob-runner/launch/rank_exit.hpp"

#include <gtest/gtest.h>

namespace evaljob::test {
namespace {

struct Row {
    const char* name;
    int status;
    int restarts_used;
    int max_restarts;
    const char* expected;  // "finished", "restart", or "end STATUS"
};

std::string text_of(const RankDecision& decision) {
    if (std::holds_alternative<RankFinished>(decision)) return "finished";
    if (std::holds_alternative<RestartRank>(decision)) return "restart";
    return "end " + std::to_string(std::get<EndNode>(decision).exit_code);
}

class RankExit : public testing::TestWithParam<Row> {};

TEST_P(RankExit, IsDecidedByStatusAndBudget) {
    const auto& [name, status, used, most, expected] = GetParam();
    EXPECT_EQ(text_of(decide_rank_exit(status, used, most)), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RankExit,
    testing::Values(Row{"Success", 0, 0, 3, "finished"}, Row{"SuccessWithTheBudgetSpent", 0, 3, 3, "finished"},
                    Row{"Crash", 139, 0, 3, "restart"}, Row{"Killed", 137, 2, 3, "restart"},
                    Row{"TerminatedByAnother", exit_code::terminated, 0, 3, "restart"},
                    Row{"Internal", exit_code::internal, 0, 1, "restart"},
                    Row{"Storage", exit_code::storage, 0, 3, "restart"}, Row{"BudgetSpent", 139, 3, 3, "end 139"},
                    Row{"NoBudget", 1, 0, 0, "end 1"}, Row{"Usage", exit_code::usage, 0, 3, "end 2"},
                    Row{"Contract", exit_code::contract, 0, 3, "end 10"},
                    Row{"Identity", exit_code::identity, 0, 3, "end 11"},
                    Row{"BadInput", exit_code::bad_input, 0, 3, "end 12"},
                    Row{"NoSpace", exit_code::no_space, 0, 3, "end 14"},
                    // The rank has waited its whole timeout already: a restart in place would only wait again.
                    Row{"Unavailable", exit_code::unavailable, 0, 3, "end 20"}),
    [](const auto& row) { return row.param.name; });

TEST(LastError, IsTheLastLineOfThatLevelWithoutItsTime) {
    EXPECT_EQ(last_error({"2026-11-22T17:24:58.990Z error first", "2026-11-22T17:24:58.991Z error the model fails",
                          "2026-11-22T17:24:58.992Z info stopping", "Traceback: error of another program"}),
              "the model fails");
    EXPECT_EQ(last_error({"2026-11-22T17:24:58.992Z info an error of ours", "error", ""}), "");
    EXPECT_EQ(last_error({}), "");
}

}  // namespace
}  // namespace evaljob::test
