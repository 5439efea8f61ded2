#include "evaljob-runner/coordinator/balance.hpp"

#include <gtest/gtest.h>

namespace evaljob::test {
namespace {

struct Bound {
    const char* name;
    std::vector<RankWork> ranks;
    double longest;
    double ms;
};

class BoundOfARun : public testing::TestWithParam<Bound> {};

TEST_P(BoundOfARun, IsWhatNoScheduleBeats) {
    EXPECT_NEAR(bound_ms(GetParam().ranks, GetParam().longest, 1'000), GetParam().ms, 1e-6);
}

const std::vector<Presence> always{{1'000, std::nullopt}};
const std::vector<Presence> from_the_first_second{{2'000, std::nullopt}};
const std::vector<Presence> one_second{{1'000, 2'000}};

INSTANTIATE_TEST_SUITE_P(
    Table, BoundOfARun,
    testing::Values(Bound{"Nobody", {}, 0, 0},
                    Bound{"WorkSpreadEvenly", {{1, 300, always}, {1, 100, always}}, 100, 200},
                    Bound{"TheLongestBatch", {{1, 300, always}, {1, 100, always}}, 300, 300},
                    // The slow one did 100 of an ordinary rank's ms; together they do 4/3 a ms.
                    Bound{"ASlowRank", {{1, 300, always}, {1.0 / 3, 300, always}}, 100, 300},
                    Bound{"TheLongestBatchOnTheFastest", {{2, 100, always}, {1, 10, always}}, 300, 150},
                    Bound{"OneJoinsLate", {{1, 2'000, always}, {1, 1'000, from_the_first_second}}, 1, 2'000},
                    Bound{"OneCameTooLateToMatter", {{1, 500, always}, {1, 0, from_the_first_second}}, 1, 500},
                    Bound{"OneLeaves", {{1, 3'000, always}, {1, 1'000, one_second}}, 1, 3'000},
                    Bound{"OneWasThereBeforeTheFirstLease", {{1, 100, {{0, std::nullopt}}}}, 1, 100},
                    Bound{"OneLeftBeforeTheFirstLease", {{1, 100, always}, {1, 0, {{0, 500}}}}, 1, 100}),
    [](const auto& row) { return row.param.name; });

TEST(Balance, CountsWhatARankWaits) {
    Balance balance;
    balance.came(0, 0);
    balance.waits(0, true, 100);
    balance.waits(0, true, 150);
    EXPECT_EQ(balance.idle(0, 180), 80);
    balance.waits(0, false, 200);
    EXPECT_EQ(balance.idle(0, 900), 100);
    balance.waits(0, true, 1'000);
    balance.went(0, 1'050);  // who is away does not wait
    EXPECT_EQ(balance.idle(0, 2'000), 150);
    balance.came(0, 3'000);
    balance.waits(0, true, 3'000);
    balance.ended(3'010);  // nobody waits for anything any more
    EXPECT_EQ(balance.idle(0, 9'000), 160);
    EXPECT_EQ(balance.idle(7, 9'000), 0);
}

TEST(Balance, BoundOfWhoWasThereWhen) {
    Balance balance;
    balance.came(0, 0);
    balance.came(1, 0);
    balance.went(1, 500);
    balance.came(1, 1'500);
    balance.worked(0, 1'600);
    balance.worked(1, 600);
    // 1,000 in the first half second, 1,000 more by one, and the rest by both.
    EXPECT_NEAR(balance.bound([](std::int32_t) { return 1.0; }, 1, 0), 1'600, 1e-6);
}

}  // namespace
}  // namespace evaljob::test
