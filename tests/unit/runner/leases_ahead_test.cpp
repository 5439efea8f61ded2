// How many leases a rank holds, in turns: computing a batch takes one, replacing its lease some.
#include "evaljob-runner/rank/leases_ahead.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace evaljob::test {
namespace {

class Rank {
public:
    /// Computes so many batches; how many turns it waited for a lease.
    int compute(int batches, int turns_to_replace) {
        int waited = 0;
        for (; batches > 0; ++turn_) {
            while (!unreplaced_.empty() && unreplaced_.front() + turns_to_replace < turn_) unreplaced_.pop_front();
            // The coordinator has given what was wanted: all that the rank holds counts.
            while (at_hand_ + unreplaced_.size() < 1 + ahead_.leases()) ++at_hand_;
            ahead_.engine_has_room(at_hand_, unreplaced_.size());
            if (at_hand_ == 0) {
                ++waited;
                continue;
            }
            --at_hand_;
            --batches;
            unreplaced_.push_back(turn_);
        }
        return waited;
    }
    std::size_t leases() const { return ahead_.leases(); }

private:
    LeasesAhead ahead_;
    std::deque<int> unreplaced_;  // the turns in which they were computed
    std::size_t at_hand_ = 0;
    int turn_ = 0;
};

TEST(LeasesAhead, OneIsEnoughWhereReplacingTakesNoLongerThanABatch) {
    Rank rank;
    EXPECT_EQ(rank.compute(1'000, 1), 0);
    EXPECT_EQ(rank.leases(), 1U);
}

TEST(LeasesAhead, GrowsUntilTheRankWaitsNoMore) {
    for (const int turns : {2, 3, 5, 7}) {
        Rank rank;
        EXPECT_LE(rank.compute(1'000, turns), 2 * turns) << turns;
        EXPECT_EQ(rank.leases(), static_cast<std::size_t>(turns)) << turns;
        EXPECT_EQ(rank.compute(1'000, turns), 0) << turns;
    }
}

TEST(LeasesAhead, HasALimit) {
    Rank rank;
    rank.compute(1'000, 100);
    EXPECT_EQ(rank.leases(), LeasesAhead::most);
}

TEST(LeasesAhead, ShrinksWhenReplacingIsFasterAgain) {
    Rank rank;
    rank.compute(100, 6);
    rank.compute(1'000, 1);
    EXPECT_EQ(rank.leases(), 1U);
}

TEST(LeasesAhead, WhoHasComputedNothingYetDoesNotAskForMore) {
    LeasesAhead ahead;
    ahead.engine_has_room(0, 0);
    EXPECT_EQ(ahead.leases(), 1U);
}

}  // namespace
}  // namespace evaljob::test
