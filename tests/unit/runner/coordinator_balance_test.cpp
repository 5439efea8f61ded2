// Who gets what when costs, ranks and the end of a run are uneven.
#include <gmock/gmock.h>

#include "tests/unit/runner/coordinator_run.hpp"

namespace evaljob::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

/// Ranks 1 and 2 have done a batch each: one of `us` microseconds.
struct TwoRanks : CoordinatorRun {
    TwoRanks(const std::vector<BatchState>& batches, std::int64_t first_us, std::int64_t second_us)
        : CoordinatorRun(batches) {
        join(1, 1);
        join(2, 1);
        const Lease of_first = last_lease[1];
        const Lease of_second = last_lease[2];
        done(1, of_first, first_us);
        done(2, of_second, second_us);
    }
};

constexpr std::int64_t second = 1'000'000;

TEST(EndGame, AnIdleRankGetsASecondLeaseOfWhatEndsLast) {
    TwoRanks run(batches_of({1, 1, 1, 1}), 10 * second, 10 * second);  // each holds one more
    EXPECT_THAT(leased(run.pass(9, {1, 2})), IsEmpty());
    EXPECT_THAT(leased(run.done(1, run.last_lease[1], 10 * second)), IsEmpty()) << "the other one will be sooner";
    // It is over its time by as much as another would need.
    EXPECT_THAT(leased(run.pass(10, {1, 2})), IsEmpty());
    const auto twice = leased(run.pass(3, {1, 2}));
    ASSERT_THAT(twice, ElementsAre(Pair(1, run.last_lease[2].batch)));
    EXPECT_EQ(run.progress().leases_twice, 1U);
    EXPECT_THAT(leased(run.pass(30, {1, 2})), IsEmpty()) << "never a third";
}

TEST(EndGame, TheFirstThatIsDoneCountsAndTheOtherIsDropped) {
    TwoRanks run(batches_of({1, 1, 1, 1}), 10 * second, 10 * second);
    const Lease slow = run.last_lease[2];
    run.done(1, run.last_lease[1], 10 * second);
    ASSERT_THAT(leased(run.pass(25, {1, 2})), SizeIs(1));
    EXPECT_THAT(all_of<WriteDoneMarker>(run.done(1, run.last_lease[1], 10 * second)), SizeIs(1));
    const Effects late = run.done(2, slow, 40 * second);
    EXPECT_THAT(sent<Ack>(late), SizeIs(1));
    EXPECT_THAT(all_of<WriteDoneMarker>(late), IsEmpty());
    EXPECT_EQ(run.progress().samples_done, 4U);
}

TEST(EndGame, WhenOneOfTwoIsLostTheOtherGoesOnAlone) {
    TwoRanks run(batches_of({1, 1, 1, 1}), 10 * second, 10 * second);
    run.done(1, run.last_lease[1], 10 * second);
    ASSERT_THAT(leased(run.pass(25, {1, 2})), SizeIs(1));
    EXPECT_THAT(leased(run.drop(2)), IsEmpty());
    EXPECT_THAT(leased(run.join(3, 1)), IsEmpty());
    EXPECT_THAT(leased(run.drop(1)), ElementsAre(Pair(3, run.last_lease[1].batch)));
}

TEST(EndGame, NothingIsRunTwiceForALittle) {
    TwoRanks run(batches_of({1, 1, 1, 1}), 50'000, 50'000);
    run.done(1, run.last_lease[1], 50'000);
    run.now += 120;  // 70 ms over its time, and another would need 50
    EXPECT_THAT(leased(run.say(1, Heartbeat{})), IsEmpty());
    run.now += 400;
    EXPECT_THAT(leased(run.say(1, Heartbeat{})), SizeIs(1));
}

TEST(EndGame, NothingIsRunTwiceWhereEachAnswerHasItsPrice) {
    CoordinatorOptions options = CoordinatorRun::options(1);
    options.backup_leases = false;
    CoordinatorRun run(batches_of({1, 1, 1, 1}));
    run.coordinator = Coordinator(options, batches_of({1, 1, 1, 1}));
    run.join(1, 1);
    run.join(2, 1);
    const Lease first = run.last_lease[1];
    run.done(2, run.last_lease[2], second);
    run.done(2, run.last_lease[2], second);
    run.done(2, run.last_lease[2], second);
    EXPECT_THAT(leased(run.pass(50, {1, 2})), IsEmpty()) << "the other rank is idle all the while";
    EXPECT_THAT(all_of<WriteDoneMarker>(run.done(1, first, 60 * second)), SizeIs(1));
    EXPECT_EQ(run.progress().leases_twice, 0U);
}

TEST(EndGame, NothingIsRunTwiceWhileNothingIsKnown) {
    CoordinatorRun run(batches_of({1}));
    run.join(1, 1);
    run.join(2, 1);
    EXPECT_THAT(leased(run.pass(59, {1, 2})), IsEmpty());
}

TEST(EndGame, WhatWaitsBehindALongBatchIsTakenOver) {
    CoordinatorRun run(batches_of({100, 50, 1}), 1, 1);
    run.join(1, 2);
    run.join(2, 1);
    EXPECT_THAT(leased(run.done(2, run.last_lease[2], 1 * second)), ElementsAre(Pair(2, 1)));
    EXPECT_EQ(run.progress().leases_twice, 1U);
    EXPECT_EQ(run.progress().leases_again, 0U);
}

TEST(EndGame, NothingIsPreparedBehindALongBatch) {
    CoordinatorRun run(batches_of({100, 100, 1, 1}));
    run.join(1, 1);
    run.join(2, 1);
    run.done(2, run.last_lease[2], 100 * second);
    run.say(2, Want{0});
    EXPECT_THAT(leased(run.say(1, Want{2})), IsEmpty()) << "others may be free sooner";
    EXPECT_THAT(leased(run.say(2, Want{1})), IsEmpty());
    run.done(2, run.last_lease[2], 1 * second);
    EXPECT_EQ(run.progress().samples_done, 101U);
    EXPECT_EQ(run.last_lease[2].batch, 3U);
}

TEST(Preparing, BeginsShortlyBeforeTheBatchInHandEnds) {
    TwoRanks run(batches_of(std::vector<std::uint32_t>(100, 1)), 10 * second, 10 * second);
    run.say(1, Want{2});
    EXPECT_THAT(leased(run.pass(7, {1, 2})), IsEmpty());
    EXPECT_THAT(leased(run.pass(2, {1, 2})), ElementsAre(Pair(1, run.last_lease[2].batch + 1)));
}

TEST(Preparing, BeginsAtOnceForARankThatComputesSeveralAtATime) {
    TwoRanks run(batches_of(std::vector<std::uint32_t>(100, 1)), 10 * second, 10 * second);
    EXPECT_THAT(leased(run.say(1, Want{4})), SizeIs(3));
}

std::vector<BatchState> of_bytes(const std::vector<std::uint64_t>& bytes) {
    std::vector<BatchState> batches;
    for (const std::uint64_t count : bytes) batches.push_back({4, false, 0, count});
    return batches;
}

TEST(Beginning, WhoComesFirstDoesNotGetTheTwoLongest) {
    // 1,100 of 8 ranks' equal parts of 325 each, if bytes alone tell the cost.
    CoordinatorRun run(
        of_bytes({1'000, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100}));
    EXPECT_THAT(leased(run.join(1, 2)), ElementsAre(Pair(1, 0)));
    EXPECT_THAT(leased(run.join(2, 2)), ElementsAre(Pair(2, 1), Pair(2, 2)));
}

TEST(Beginning, WhoComesFirstLeavesABatchForEveryone) {
    CoordinatorRun run(batches_of(std::vector<std::uint32_t>(CoordinatorRun::ranks, 4)));
    for (SessionId session = 1; session <= CoordinatorRun::ranks; ++session)
        EXPECT_THAT(leased(run.join(session, 2)), ElementsAre(Pair(session, session - 1)));
}

TEST(LeaseTime, OfABatchThatWaitsBehindAnotherBeginsWhenThatIsDone) {
    CoordinatorRun run(batches_of({1, 1, 1}), 1, 1);
    run.join(1, 2);
    const Lease first{{1, 1}, 0};
    EXPECT_THAT(leased(run.pass(50, {1})), IsEmpty());
    EXPECT_THAT(leased(run.done(1, first)), ElementsAre(Pair(1, 2)));
    run.join(2, 1);
    EXPECT_THAT(leased(run.pass(60, {1, 2})), IsEmpty()) << "the second was leased 110 s ago, and begun 60 s ago";
    EXPECT_THAT(leased(run.pass(1, {1, 2})), ElementsAre(Pair(2, 1)));
}

TEST(LeaseTime, WithAHungOneGoThoseBehindIt) {
    CoordinatorRun run(batches_of({1, 1}), 1, 1);
    run.join(1, 2);
    EXPECT_THAT(leased(run.pass(61, {1})), IsEmpty());
    EXPECT_THAT(leased(run.join(2, 2)), ElementsAre(Pair(2, 0), Pair(2, 1)));
}

TEST(Order, IsRefitWhileTheRunGoesOn) {
    // By samples the first ones are longest; it turns out that the second dataset's take a hundred times as long.
    std::vector<BatchState> batches(40, {4, false, 0});
    for (int i = 0; i < 40; ++i) batches.push_back({2, false, 1});
    CoordinatorRun run(batches);
    run.join(1, 1);
    EXPECT_LT(run.last_lease[1].batch, 40U);
    run.done(1, run.last_lease[1], 4'000);
    // Whoever gets one of the others tells.
    run.coordinator.message(1, Done{{1, 99}, 79, 2, 0, 400'000}, run.now);
    for (int i = 0; i < 3; ++i) run.done(1, run.last_lease[1], run.last_lease[1].batch < 40 ? 4'000 : 400'000);
    EXPECT_GE(run.last_lease[1].batch, 40U);
}

TEST(Order, TheLargestInputComesFirst) {
    CoordinatorRun run({{4, false, 0, 100}, {4, false, 0, 900}, {4, false, 0, 500}}, 1, 1);
    EXPECT_THAT(leased(run.join(1, 3)), ElementsAre(Pair(1, 1), Pair(1, 2), Pair(1, 0)));
}

struct StaticRun : CoordinatorRun {
    explicit StaticRun(std::size_t batches) : CoordinatorRun(std::vector<BatchState>()) {
        auto with = options(1);
        with.schedule = Schedule::Static;
        with.expected.world_size = 2;
        with.expected.local_world_size = ranks;
        coordinator = Coordinator(with, batches_of(std::vector<std::uint32_t>(batches, 1)));
        coordinator.tick(now);
    }
};

TEST(StaticSchedule, IsAStrideInOrder) {
    StaticRun run(6);
    EXPECT_THAT(leased(run.join(1, 2)), ElementsAre(Pair(1, 0), Pair(1, 2)));
    EXPECT_THAT(leased(run.join(2, 3)), ElementsAre(Pair(2, 1), Pair(2, 3), Pair(2, 5)));
    EXPECT_THAT(leased(run.done(1, {{1, 1}, 0})), ElementsAre(Pair(1, 4)));
}

TEST(StaticSchedule, WhoIsAheadWaits) {
    StaticRun run(4);
    run.join(1, 2);
    run.join(2, 1);
    run.done(1, {{1, 1}, 0}, second);
    EXPECT_THAT(leased(run.done(1, {{1, 2}, 2}, second)), IsEmpty());
    EXPECT_THAT(leased(run.pass(40, {1, 2})), IsEmpty()) << "nor is anything run twice";
    EXPECT_EQ(run.progress().ranks[0].idle, 40'000);
}

TEST(StaticSchedule, ALostRanksPartGoesToOthersAndWhatIsLeftBackToIt) {
    StaticRun run(8);
    run.join(1, 1);
    run.join(2, 1);
    for (const std::uint64_t batch : {0U, 2U, 4U}) run.done(1, {run.last_lease[1].number, batch});
    run.done(1, run.last_lease[1]);
    const auto of_the_lost = sent<Lease>(run.drop(2));
    ASSERT_THAT(of_the_lost, SizeIs(1));
    EXPECT_EQ(of_the_lost[0].second.batch, 1U);
    EXPECT_THAT(leased(run.join(2, 1)), ElementsAre(Pair(2, 3)));
    EXPECT_THAT(leased(run.done(1, of_the_lost[0].second)), IsEmpty());
}

TEST(StaticSchedule, ARankThatNeverCameIsLostAfterAMinute) {
    StaticRun run(4);
    run.join(1, 4);
    run.done(1, {{1, 1}, 0});
    run.done(1, {{1, 2}, 2});
    EXPECT_THAT(leased(run.pass(60, {1})), IsEmpty());
    EXPECT_THAT(leased(run.pass(1, {1})), ElementsAre(Pair(1, 1), Pair(1, 3)));
}

TEST(StaticSchedule, AHungRanksPartGoesToOthers) {
    StaticRun run(4);
    run.join(1, 2);
    run.join(2, 1);
    run.done(1, {{1, 1}, 0});
    run.done(1, {{1, 2}, 2});
    EXPECT_THAT(leased(run.pass(61, {1, 2})), ElementsAre(Pair(1, 1), Pair(1, 3)));
}

TEST(BalanceOfARun, IsReported) {
    TwoRanks run(batches_of({1, 1, 1, 1}), 10 * second, 10 * second);
    run.now += 10'000;
    run.done(1, run.last_lease[1], 10 * second);
    run.now += 5'000;
    run.done(2, run.last_lease[2], 15 * second);
    const auto p = run.progress();
    EXPECT_EQ(p.ranks[0].idle, 5'000);
    EXPECT_EQ(p.ranks[1].idle, 0);
    EXPECT_DOUBLE_EQ(p.balance.idle_ms, 5'000);
    EXPECT_DOUBLE_EQ(p.balance.makespan_ms, 15'000);
    EXPECT_GT(p.balance.bound_ms, 0);
}

// A run that was resumed when all was done, with a failed sample in each batch, ended with "0 of 8 samples (0 %)".
TEST(Progress, OfARunThatIsDoneIsAllOfIt) {
    CoordinatorRun run(batches_of({3, 5}));
    EXPECT_EQ(run.progress().samples_done, 0U);
    static_cast<void>(run.coordinator.published());
    EXPECT_EQ(run.progress().samples_done, 8U);
    EXPECT_EQ(run.progress().samples_resumed, 8U);
    EXPECT_EQ(run.progress().samples_per_second, 0);
}

// 16 batches at a time, each of which waits for the others: their times added up are no work that anyone had to do.
TEST(BalanceOfARun, HasNoBoundWhereARankHasSeveralBatchesAtATime) {
    CoordinatorOptions options = CoordinatorRun::options(1, 1);
    options.several_at_once = true;
    Coordinator coordinator(options, batches_of({1, 1, 1, 1}));
    static_cast<void>(coordinator.message(1, CoordinatorRun::hello(1), 0));
    const auto leases = sent<Lease>(coordinator.message(1, Want{4}, 0));
    ASSERT_THAT(leases, SizeIs(4));
    for (const auto& [session, lease] : leases)
        static_cast<void>(coordinator.message(session, Done{lease.number, lease.batch, 1, 0, 10 * second}, 10'000));
    const auto p = coordinator.progress(10'000);
    EXPECT_EQ(p.samples_done, 4U);
    EXPECT_DOUBLE_EQ(p.balance.makespan_ms, 10'000);
    EXPECT_EQ(p.balance.bound_ms, 0);
}

}  // namespace
}  // namespace evaljob::test
