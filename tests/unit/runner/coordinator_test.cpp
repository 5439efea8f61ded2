#include "evaljob-runner/coordinator/coordinator.hpp"

#include <gmock/gmock.h>

#include "api/exit_code.hpp"
#include "tests/unit/runner/coordinator_run.hpp"

namespace evaljob::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

TEST(Coordinator, TellsWhatItsRanksWaitFor) {
    CoordinatorRun run(batches_of({1, 1}));
    run.join(1);
    run.join(2);
    EXPECT_EQ(run.progress().waiting_for, "");
    run.say(2, Heartbeat{"http://s/v1: it answered 503"});
    EXPECT_EQ(run.progress().waiting_for, "http://s/v1: it answered 503");
    run.say(2, Heartbeat{});
    EXPECT_EQ(run.progress().waiting_for, "");
    run.say(2, Heartbeat{"http://s/v1"});
    run.drop(2);
    EXPECT_EQ(run.progress().waiting_for, "") << "who is gone waits for nothing";
}

TEST(Coordinator, LeasesTheLongestBatchFirstThenInOrder) {
    CoordinatorRun run(batches_of({5, 9, 5, 9, 7}), 1, 1);
    EXPECT_THAT(leased(run.join(1, 5)), ElementsAre(Pair(1, 1), Pair(1, 3), Pair(1, 4), Pair(1, 0), Pair(1, 2)));
}

TEST(Coordinator, GivesEveryoneAFirstLeaseBeforeAnyoneASecond) {
    CoordinatorRun run(batches_of({1, 1, 1, 1, 1}), 1, 1);
    for (SessionId session = 1; session <= 3; ++session) run.join(session);
    run.say(1, Want{1});
    run.say(2, Want{1});
    run.say(3, Want{1});
    EXPECT_THAT(leased(run.say(1, Want{3})), ElementsAre(Pair(1, 3), Pair(1, 4)));
    // Everything comes back at once: ranks 2 and 3 keep theirs, and wait for more beside one who has none.
    run.say(2, Want{3});
    run.say(3, Want{3});
    run.join(4);
    run.say(4, Want{3});
    EXPECT_THAT(leased(run.drop(1)), ElementsAre(Pair(4, 0), Pair(2, 3), Pair(3, 4)));
}

TEST(Coordinator, NumbersLeasesByItsEpochAndCountsThem) {
    CoordinatorRun run(batches_of({1, 1}), 7, 1);
    const auto leases = sent<Lease>(run.join(1, 2));
    ASSERT_THAT(leases, SizeIs(2));
    EXPECT_EQ(leases[0].second.number, (LeaseNumber{7, 1}));
    EXPECT_EQ(leases[1].second.number, (LeaseNumber{7, 2}));
    EXPECT_EQ(run.progress().leases, 2U);
}

TEST(Coordinator, WelcomesWithEpochIdentityAndHeartbeat) {
    CoordinatorRun run(batches_of({1}), 3);
    const auto welcomes = sent<Welcome>(run.join(2));
    ASSERT_THAT(welcomes, SizeIs(1));
    EXPECT_EQ(welcomes[0].first, 2U);
    EXPECT_EQ(welcomes[0].second.epoch, 3U);
    EXPECT_EQ(welcomes[0].second.identity, "identity");
    EXPECT_EQ(welcomes[0].second.heartbeat_ms, 2'000);
}

TEST(Coordinator, HandsOutAGroupToThoseWhoJoin) {
    CoordinatorRun run(batches_of({1}));  // of one node: nobody else is waited for
    run.join(2);
    const auto groups = sent<Group>(run.say(2, Join{"10.1.2.3:4"}));
    ASSERT_THAT(groups, SizeIs(1));
    EXPECT_EQ(groups[0].first, 2U);
    EXPECT_EQ(groups[0].second.generation, 1U);
    EXPECT_EQ(groups[0].second.self, 0U);
    EXPECT_THAT(groups[0].second.members, ElementsAre("10.1.2.3:4"));
}

TEST(Coordinator, DoneEndsABatchAndAsksForTheMarkerOnceAllAreDone) {
    CoordinatorRun run(batches_of({4, 4}));
    run.join(1, 1);
    const Lease first = run.last_lease[1];
    const Effects effects = run.done(1, first);
    EXPECT_THAT(sent<Ack>(effects), SizeIs(1));
    EXPECT_THAT(leased(effects), ElementsAre(Pair(1, 1)));
    EXPECT_THAT(all_of<WriteDoneMarker>(effects), IsEmpty());
    EXPECT_EQ(run.progress().samples_done, 4U);
    EXPECT_THAT(all_of<WriteDoneMarker>(run.done(1, run.last_lease[1])), SizeIs(1));
    EXPECT_EQ(run.progress().samples_done, 8U);
    EXPECT_FALSE(run.progress().finished);  // not before the marker stands
}

TEST(Coordinator, ASecondDoneOfABatchIsAcknowledgedAndChangesNothing) {
    CoordinatorRun run(batches_of({4, 4}));
    run.join(1, 1);
    const Lease first = run.last_lease[1];
    run.done(1, first, 1'000, 2);
    const auto before = run.progress();
    const Effects again = run.done(1, first, 9'000, 3);
    EXPECT_THAT(sent<Ack>(again), SizeIs(1));
    EXPECT_THAT(leased(again), IsEmpty());
    EXPECT_EQ(run.progress().samples_done, before.samples_done);
    EXPECT_EQ(run.progress().samples_failed, 2U);
    EXPECT_EQ(run.progress().ranks[0].compute_us, 1'000);
    EXPECT_THAT(all_of<WriteDoneMarker>(run.done(1, run.last_lease[1])), SizeIs(1));
    EXPECT_THAT(all_of<WriteDoneMarker>(run.done(1, run.last_lease[1])), IsEmpty());
}

TEST(Coordinator, ADoneOfABatchThatDoesNotExistIsPassedOver) {
    CoordinatorRun run(batches_of({1}));
    run.join(1, 1);
    EXPECT_THAT(all_of<WriteDoneMarker>(run.say(1, Done{{1, 1}, 99, 1, 0, 0})), IsEmpty());
    EXPECT_EQ(run.progress().samples_done, 0U);
}

TEST(Coordinator, ALateDoneOfATakenBackLeaseCountsAndTheBatchIsNotLeasedAgain) {
    CoordinatorRun run(batches_of({1}));
    run.join(1, 1);
    const Lease slow = run.last_lease[1];
    run.join(2);
    run.drop(1);  // the batch waits: rank 1 wants nothing
    run.join(1);
    EXPECT_THAT(all_of<WriteDoneMarker>(run.done(1, slow)), SizeIs(1));
    EXPECT_THAT(leased(run.say(2, Want{1})), IsEmpty());
}

TEST(Coordinator, ALostConnectionHandsItsLeasesToOthers) {
    CoordinatorRun run(batches_of({3, 2}), 1, 1);
    run.join(1, 2);
    run.join(2, 2);
    EXPECT_THAT(leased(run.drop(1)), ElementsAre(Pair(2, 0), Pair(2, 1)));
    EXPECT_EQ(run.progress().leases_again, 2U);
    EXPECT_FALSE(run.progress().ranks[0].connected);
    EXPECT_TRUE(run.progress().ranks[1].connected);
    EXPECT_THAT(run.drop(1), IsEmpty());  // a second time changes nothing
}

TEST(Coordinator, ASilentHolderIsLostAndItsConnectionClosed) {
    CoordinatorRun run(batches_of({3, 2}), 1, 1);
    run.join(1, 1);
    run.join(2, 2);
    EXPECT_THAT(leased(run.pass(10, {2})), IsEmpty());
    const Effects effects = run.pass(1, {2});
    EXPECT_THAT(leased(effects), ElementsAre(Pair(2, 0)));
    ASSERT_THAT(all_of<CloseSession>(effects), SizeIs(1));
    EXPECT_EQ(all_of<CloseSession>(effects)[0].session, 1U);
}

struct Patience {
    const char* name;
    std::int64_t compute_us_per_item;  // of the batch before
    std::uint32_t items;
    std::int64_t seconds;  // that a lease may take
};

class LeaseDeadline : public testing::TestWithParam<Patience> {};

TEST_P(LeaseDeadline, IsSixtySecondsOrFiveTimesWhatWasPredicted) {
    const auto& [name, us_per_item, items, seconds] = GetParam();
    CoordinatorRun run(batches_of({1'000, items}));
    run.join(1, 1);
    run.done(1, run.last_lease[1], 1'000 * us_per_item);
    const Lease hung = run.last_lease[1];
    run.join(2);  // wants nothing yet: it would get a second lease
    EXPECT_THAT(all_of<Note>(run.pass(seconds, {1, 2})), IsEmpty());
    const auto notes = all_of<Note>(run.pass(1, {1, 2}));
    ASSERT_THAT(notes, SizeIs(1));
    EXPECT_THAT(notes[0].text, HasSubstr("took too long"));
    EXPECT_THAT(leased(run.say(2, Want{1})), ElementsAre(Pair(2, hung.batch)));
    EXPECT_EQ(run.progress().leases_again, 1U);
}

INSTANTIATE_TEST_SUITE_P(Table, LeaseDeadline,
                         testing::Values(Patience{"NothingKnown", 0, 100, 60}, Patience{"Fast", 1'000, 100, 60},
                                         Patience{"JustSixty", 120'000, 100, 60},
                                         Patience{"FiveTimesThePrediction", 400'000, 100, 200},
                                         Patience{"TheSizeCounts", 400'000, 300, 600}),
                         [](const auto& row) { return row.param.name; });

TEST(Coordinator, WhoIsHungDoesNotGetItsOwnBatchAgain) {
    CoordinatorRun run(batches_of({1}));
    run.join(1, 2);
    run.pass(61, {1});
    EXPECT_EQ(run.progress().leases, 1U);  // nobody else is there: the batch waits
    EXPECT_THAT(leased(run.join(2, 1)), ElementsAre(Pair(2, 0)));
}

TEST(Coordinator, WhoWasLateGetsLeasesAgainOnceItWorks) {
    CoordinatorRun run(batches_of({2, 1}));
    run.join(1, 1);
    const Lease slow = run.last_lease[1];
    run.pass(61, {1});
    EXPECT_EQ(run.progress().leases, 1U);
    EXPECT_THAT(leased(run.done(1, slow)), ElementsAre(Pair(1, 1)));
}

TEST(Coordinator, AReconnectingRankKeepsTheLeasesThatItStillHolds) {
    CoordinatorRun run(batches_of({3, 2}), 1, 1);
    run.join(1, 2);
    run.drop(1);
    Hello back = CoordinatorRun::hello(1);
    back.held = {{{1, 1}, 0}, {{1, 2}, 1}};
    run.say(9, back);
    EXPECT_THAT(leased(run.say(9, Want{2})), IsEmpty());  // it has its two
    run.join(2, 2);
    EXPECT_EQ(run.progress().leases_again, 0U);
    run.done(9, {{1, 1}, 0});
    EXPECT_THAT(all_of<WriteDoneMarker>(run.done(9, {{1, 2}, 1})), SizeIs(1));
}

TEST(Coordinator, HeldLeasesOfAnEarlierCoordinatorAreAdopted) {
    CoordinatorRun run(batches_of({3, 2}), 2, 1);
    Hello back = CoordinatorRun::hello(1);
    back.held = {{{1, 17}, 1}};
    run.say(1, back);
    EXPECT_THAT(leased(run.join(2, 2)), ElementsAre(Pair(2, 0)));
    EXPECT_THAT(leased(run.drop(1)), ElementsAre(Pair(2, 1)));
    EXPECT_EQ(run.progress().leases_again, 1U);
}

TEST(Coordinator, AHeldLeaseOfABatchThatIsFinishedOrWithAnotherOrUnknownIsNotAdopted) {
    CoordinatorRun run({{3, true}, {2, false}, {2, false}}, 2);
    run.join(2, 1);  // gets batch 1
    Hello back = CoordinatorRun::hello(1);
    back.held = {{{1, 1}, 0}, {{1, 2}, 1}, {{1, 3}, 99}};
    run.say(1, back);
    EXPECT_THAT(leased(run.say(1, Want{1})), ElementsAre(Pair(1, 2)));
    EXPECT_THAT(leased(run.drop(1)), IsEmpty());
}

/// It would have been given to another under the same number.
TEST(Coordinator, AHeldLeaseThatWasNeverGivenIsNotAdopted) {
    CoordinatorRun run(batches_of({3}));
    Hello liar = CoordinatorRun::hello(1);
    liar.held = {{{1, 1}, 0}};
    run.say(1, liar);
    const auto leases = sent<Lease>(run.join(2, 1));
    ASSERT_THAT(leases, SizeIs(1));
    EXPECT_EQ(leases[0].second.number, (LeaseNumber{1, 1}));
}

TEST(Coordinator, ReturnedLeasesGoToOthersAndWhoReturnsGetsNoMore) {
    CoordinatorRun run(batches_of({3, 2, 1}), 1, 1);
    run.join(1, 2);
    run.join(2, 1);
    EXPECT_THAT(leased(run.say(1, Return{{1, 2}})), IsEmpty());
    EXPECT_THAT(leased(run.done(2, run.last_lease[2])), ElementsAre(Pair(2, 1)));
    EXPECT_THAT(leased(run.done(1, {{1, 1}, 0})), IsEmpty());
    EXPECT_EQ(run.progress().leases_again, 1U);
}

TEST(Coordinator, AnothersLeaseCannotBeReturned) {
    CoordinatorRun run(batches_of({3}));
    run.join(1, 1);
    run.join(2);
    run.say(2, Return{run.last_lease[1].number});
    EXPECT_THAT(leased(run.say(2, Want{1})), IsEmpty());
}

TEST(Coordinator, WhoWantsNothingGetsNothingButMayFinishWhatItHas) {
    CoordinatorRun run(batches_of({1, 1}));
    run.join(1, 1);
    EXPECT_THAT(leased(run.say(1, Want{0})), IsEmpty());
    EXPECT_THAT(leased(run.done(1, run.last_lease[1])), IsEmpty());
    EXPECT_EQ(run.progress().samples_done, 1U);
}

TEST(Coordinator, HoardingIsLimited) {
    CoordinatorRun run(batches_of(std::vector<std::uint32_t>(1'000, 1)));
    EXPECT_THAT(leased(run.join(1, UINT32_MAX)), SizeIs(64));
}

TEST(Coordinator, ReportsProgress) {
    CoordinatorRun run(batches_of({10, 10, 10, 10}));
    run.join(1, 1);
    run.now += 2'000;
    run.done(1, run.last_lease[1], 1'000, 3);
    const auto p = run.progress();
    EXPECT_EQ(p.samples_total, 40U);
    EXPECT_EQ(p.samples_failed, 3U);
    EXPECT_EQ(p.batches, 4U);
    EXPECT_DOUBLE_EQ(p.samples_per_second, 5.0);
    EXPECT_DOUBLE_EQ(p.eta_seconds, 6.0);
    EXPECT_FALSE(p.rendezvous_ready);
    for (SessionId session = 2; session <= CoordinatorRun::ranks; ++session) run.join(session);
    run.drop(3);
    EXPECT_TRUE(run.progress().rendezvous_ready);  // each has registered once
    EXPECT_THAT(run.progress().ranks, SizeIs(CoordinatorRun::ranks));
}

TEST(Coordinator, ResumesWithWhatIsOnTheVolume) {
    CoordinatorRun run({{5, true}, {4, false}, {3, true}}, 2);
    EXPECT_THAT(run.coordinator.start(), IsEmpty());
    EXPECT_EQ(run.progress().samples_resumed, 8U);
    EXPECT_THAT(leased(run.join(1, 3)), ElementsAre(Pair(1, 1)));
    EXPECT_THAT(all_of<WriteDoneMarker>(run.done(1, run.last_lease[1])), SizeIs(1));
    EXPECT_EQ(run.progress().samples_done, 12U);
}

TEST(Coordinator, WithEverythingOnTheVolumeAsksForTheMarkerAtOnce) {
    CoordinatorRun run({{5, true}, {4, true}}, 2);
    EXPECT_THAT(all_of<WriteDoneMarker>(run.coordinator.start()), SizeIs(1));
}

TEST(Coordinator, TellsEveryoneWhenTheMarkerStandsAndWhoComesLater) {
    CoordinatorRun run(batches_of({1}));
    run.join(1, 1);
    run.join(2, 1);
    run.done(1, run.last_lease[1]);
    EXPECT_THAT(sent<Finished>(run.coordinator.published()), ElementsAre(Pair(1, testing::_), Pair(2, testing::_)));
    EXPECT_TRUE(run.progress().finished);
    const Effects late = run.join(3);
    EXPECT_THAT(sent<Finished>(late), SizeIs(1));
    EXPECT_THAT(sent<Welcome>(late), IsEmpty());
    EXPECT_EQ(run.coordinator.connected(), 2U);  // the late one need not be waited for
}

}  // namespace
}  // namespace evaljob::test
