// What a rank wants done, event by event.
#include "evaljob-runner/rank/rank_loop.hpp"

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "api/exit_code.hpp"
#include "tests/unit/runner/hellos.hpp"

namespace evaljob::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

struct InWords {
    std::string operator()(const Speak&) const { return "speak"; }
    std::string operator()(const Superfluous&) const { return "superfluous"; }
    std::string operator()(const Prepare& prepare) const { return "prepare " + std::to_string(prepare.lease.batch); }
    std::string operator()(const EngineStep& step) const { return std::visit(*this, step); }
    std::string operator()(const BeginBatch& begin) const { return "begin " + std::to_string(begin.lease.batch); }
    std::string operator()(const AwaitBatch&) const { return "await"; }
    std::string operator()(const StopWork& stop) const {
        return stop.end ? "stop with " + std::to_string(stop.end->exit_code) : "stop for " + stop.end.error().reason;
    }
    std::string operator()(const WriteRecords& write) const {
        std::string words = "write";
        for (const EvaluatedLease& evaluated : write.leases) words += " " + std::to_string(evaluated.lease.batch);
        return words;
    }
};

class RankLoopTest : public testing::Test {
protected:
    using Words = std::vector<std::string>;
    static Words in_words(const RankEffects& effects) {
        Words words;
        for (const RankEffect& effect : effects) words.push_back(std::visit(InWords{}, effect));
        return words;
    }
    /// A connection, and an engine.
    void start(std::size_t batches_at_once = 1) {
        at_once_ = batches_at_once;
        connect();
        loop_.ready(batches_at_once);
        loop_.messages();
    }
    void connect() {
        loop_.greeting();
        loop_.heard(Welcome{1, "identity"});
    }
    static LeaseNumber number_of(std::uint64_t batch) { return {1, batch + 1}; }
    Words leased(std::uint64_t batch) { return in_words(loop_.heard(Lease{number_of(batch), batch})); }
    Words begun() { return in_words(loop_.begun()); }
    Words computed(std::uint64_t batch) {
        return in_words(loop_.computed({{number_of(batch), batch}, {}, 0, 10}, at_once_));
    }
    Words written(const std::vector<std::uint64_t>& batches) {
        std::vector<Report> reports;
        for (const std::uint64_t batch : batches) reports.push_back({{number_of(batch), batch, 1, 0, 10}, ""});
        return in_words(loop_.written(std::move(reports)));
    }
    Words failed_to_write() { return in_words(loop_.write_failed({"NoSpace", "the disk is full", {}})); }
    /// What is said, as types on the wire; of a done and a return the batch, of a want the number.
    Words says() {
        Words said;
        for (const Message& message : loop_.messages()) {
            said.push_back(Json::parse(encode_message(message)).at("type").get<std::string>());
            if (const auto* done = std::get_if<Done>(&message)) said.back() += " " + std::to_string(done->batch);
            if (const auto* want = std::get_if<Want>(&message)) said.back() += " " + std::to_string(want->leases);
            if (const auto* back = std::get_if<Return>(&message))
                said.back() += " " + std::to_string(back->lease.counter - 1);
        }
        return said;
    }
    /// Computes a batch that is there, and has a lease given for each that is wanted.
    void compute_quickly(std::uint64_t batch) {
        begun();
        computed(batch);
    }

    std::size_t at_once_ = 1;  // batches, of the engine
    RankLoop loop_{hello_of(1, 2, 0, 0)};
};

TEST_F(RankLoopTest, AsksForLeasesWhenItsEngineIsReady) {
    connect();
    EXPECT_THAT(says(), ElementsAre("want 0"));
    EXPECT_THAT(in_words(loop_.ready(1)), ElementsAre("speak"));
    EXPECT_THAT(says(), ElementsAre("want 2")) << "one to compute, one to prepare";
}

TEST_F(RankLoopTest, PreparesEachLeaseAsItComesAndComputesThemInTheirOrder) {
    start();
    EXPECT_THAT(leased(7), ElementsAre("prepare 7", "begin 7"));
    EXPECT_THAT(leased(3), ElementsAre("prepare 3"));
    EXPECT_THAT(begun(), ElementsAre("await"));
    EXPECT_THAT(computed(7), ElementsAre("write 7", "begin 3"));
}

TEST_F(RankLoopTest, ReportsALeaseOnceItsRecordsAreDurable) {
    start();
    leased(7);
    leased(8);
    begun();
    EXPECT_THAT(computed(7), ElementsAre("write 7", "begin 8"));
    EXPECT_THAT(says(), IsEmpty());
    EXPECT_THAT(loop_.session().held(), testing::SizeIs(2)) << "it says that it holds it, should it come back";
    EXPECT_THAT(written({7}), ElementsAre("speak"));
    EXPECT_THAT(says(), ElementsAre("done 7"));
}

TEST_F(RankLoopTest, WritesTogetherWhatHasGatheredMeanwhile) {
    start(3);
    for (const std::uint64_t batch : {1U, 2U, 3U}) leased(batch);
    begun(), begun(), begun();
    EXPECT_THAT(computed(1), ElementsAre("write 1", "speak", "await"));
    EXPECT_THAT(computed(3), ElementsAre("speak", "await"));
    EXPECT_THAT(computed(2), ElementsAre("speak")) << "one group at a time; it asks for more";
    says();
    EXPECT_THAT(written({1}), ElementsAre("speak", "write 3 2"));
    EXPECT_THAT(written({3, 2}), ElementsAre("speak"));
    EXPECT_THAT(says(), ElementsAre("done 1", "done 2", "done 3"));
}

TEST_F(RankLoopTest, KeepsAnEngineOfSeveralBatchesFull) {
    start(2);
    EXPECT_THAT(leased(1), ElementsAre("prepare 1", "begin 1"));
    EXPECT_THAT(leased(2), ElementsAre("prepare 2"));
    EXPECT_THAT(leased(3), ElementsAre("prepare 3"));
    EXPECT_THAT(begun(), ElementsAre("begin 2"));
    EXPECT_THAT(begun(), ElementsAre("await")) << "it has as many as it can have";
    EXPECT_THAT(computed(2), ElementsAre("write 2", "begin 3"));
}

/// A server that is overloaded gets fewer requests at a time.
TEST_F(RankLoopTest, AnEngineThatCanHaveFewerThanItHasGetsNoMoreUntilItHasRoom) {
    start(3);
    for (const std::uint64_t batch : {1U, 2U, 3U, 4U}) leased(batch);
    begun(), begun(), begun();
    at_once_ = 1;
    EXPECT_THAT(computed(1), ElementsAre("write 1", "speak", "await"));
    EXPECT_THAT(says(), ElementsAre("want 2"));
    EXPECT_THAT(computed(2), ElementsAre("await"));
    EXPECT_THAT(computed(3), ElementsAre("begin 4"));
}

/// The engine had nothing to do while its disk was slow.
TEST_F(RankLoopTest, WantsOneMoreEachTimeThatNothingIsAtHandUpToItsLimit) {
    start();
    for (std::uint64_t batch = 0; batch < 20; ++batch) {
        leased(batch);
        begun();
        computed(batch);
    }
    Words said = says();
    EXPECT_EQ(said.front(), "want 3");
    EXPECT_EQ(said.back(), "want " + std::to_string(RankLoop::most_leases(1)));
}

TEST_F(RankLoopTest, WhatWaitsForASlowDiskIsNoMoreThanWhatItHolds) {
    start();
    for (std::uint64_t batch = 0; batch < RankLoop::most_leases(1); ++batch) {
        leased(batch);
        compute_quickly(batch);
    }
    EXPECT_EQ(loop_.gathered(), RankLoop::most_leases(1) - 1) << "the first is being written";
    EXPECT_EQ(loop_.session().held().size(), RankLoop::most_leases(1));
}

/// It would wait for a lease that nobody gives, for what it has evaluated is never reported.
TEST_F(RankLoopTest, StopsWhenItsLogFailsThoughItWaitsForALease) {
    start();
    leased(7);
    compute_quickly(7);
    EXPECT_THAT(failed_to_write(), ElementsAre("stop for NoSpace"));
    EXPECT_THAT(says(), Not(Contains("done 7")));
}

TEST_F(RankLoopTest, ReportsNothingMoreOnceItsLogHasFailed) {
    start();
    leased(1);
    leased(2);
    compute_quickly(1);
    EXPECT_THAT(failed_to_write(), IsEmpty()) << "the engine is at the next batch";
    EXPECT_THAT(begun(), ElementsAre("stop for NoSpace"));
    EXPECT_THAT(says(), Not(Contains("done 1")));
    EXPECT_THAT(leased(3), IsEmpty()) << "nothing more is prepared";
}

TEST_F(RankLoopTest, WritesAndReportsWhatAnEngineHasComputedBeforeItFailed) {
    start();
    leased(1);
    leased(2);
    compute_quickly(1);
    EXPECT_THAT(begun(), ElementsAre("await"));
    EXPECT_THAT(in_words(loop_.engine_failed({"BadInput", "the model is damaged", {}})), IsEmpty());
    EXPECT_THAT(written({1}), ElementsAre("speak", "stop for BadInput"));
    EXPECT_THAT(says(), Contains("done 1"));
}

TEST_F(RankLoopTest, FinishesAndReportsWhatItHasBegunWhenItIsToldToStop) {
    start();
    for (const std::uint64_t batch : {1U, 2U, 3U}) leased(batch);
    compute_quickly(1);
    says();
    EXPECT_THAT(in_words(loop_.leave()), ElementsAre("speak"));
    EXPECT_THAT(says(), ElementsAre("return 3")) << "the second is begun";
    EXPECT_THAT(begun(), ElementsAre("await"));
    EXPECT_THAT(computed(2), IsEmpty()) << "the first is being written";
    EXPECT_THAT(written({1}), ElementsAre("speak", "write 2"));
    EXPECT_THAT(written({2}), ElementsAre("speak", "stop with " + std::to_string(exit_code::terminated)));
    EXPECT_THAT(says(), ElementsAre("done 1", "done 2"));
}

TEST_F(RankLoopTest, StopsAtOnceWhenAllIsDoneAndItComputesNothing) {
    start();
    EXPECT_THAT(in_words(loop_.heard(Finished{})), ElementsAre("stop with 0"));
}

TEST_F(RankLoopTest, IsSuperfluousWhenAllIsDoneAndItComputes) {
    start();
    leased(1);
    begun();
    EXPECT_THAT(in_words(loop_.heard(Finished{})), ElementsAre("superfluous"));
}

TEST_F(RankLoopTest, StopsBeforeItsEngineIsReadyAsSoonAsItIs) {
    connect();
    EXPECT_THAT(in_words(loop_.heard(Refused{exit_code::contract, "RANK is taken"})), IsEmpty());
    EXPECT_THAT(in_words(loop_.ready(1)), ElementsAre("stop with " + std::to_string(exit_code::contract)));
}

TEST_F(RankLoopTest, SaysOnTheNextConnectionWhatWasNotHeardAndNothingThatWasMeantForTheLast) {
    start();
    leased(1);
    compute_quickly(1);
    written({1});
    loop_.disconnected();
    EXPECT_THAT(says(), IsEmpty()) << "done 1 was meant for a connection that is gone";
    loop_.greeting();
    EXPECT_THAT(says(), IsEmpty()) << "not before it is welcome";
    loop_.heard(Welcome{1, "identity"});
    EXPECT_THAT(says(), ElementsAre("done 1", "want 3"));
}

TEST_F(RankLoopTest, ComputesALeaseOnceHoweverOftenItIsGiven) {
    start();
    EXPECT_THAT(leased(1), ElementsAre("prepare 1", "begin 1"));
    EXPECT_THAT(leased(1), IsEmpty());
    compute_quickly(1);
    EXPECT_THAT(written({1}), ElementsAre("speak"));
    EXPECT_THAT(leased(1), IsEmpty()) << "its report is not acknowledged";
}

}  // namespace
}  // namespace evaljob::test
