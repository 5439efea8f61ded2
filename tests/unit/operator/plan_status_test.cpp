// What status says: conditions and their times, progress, results, counts, and the words that name a failure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/merge_report.hpp"
#include "builders.hpp"
#include "operator/plan/status.hpp"
#include "operator/plan/time.hpp"
#include "world.hpp"

namespace evaljob::testing {
namespace {

using ::testing::HasSubstr;

World running_world(const JobBuilder& job) {
    World world(job.build());
    world.step();
    world.run_pods();
    world.pass(10);
    world.step();
    return world;
}

const Condition& condition(const World& world, const std::string& type) {
    static const Condition none;
    const Condition* found = find_condition(world.observed.job.status, type);
    EXPECT_NE(found, nullptr) << "no condition " << type;
    return found ? *found : none;
}

MergeReport published() {
    MergeReport report;
    report.published = true;
    report.identity = test::frozen_identity();
    report.digest = "d1";
    report.path = "results/sha256-d1";
    report.samples = 100;
    report.repeated = 3;
    report.metrics = {{"fashion", "accuracy", "", "0.9134", "0.0028", 100}};
    return report;
}

TEST(Status, FirstPlanSaysWhatIsWanted) {
    World world(JobBuilder().nodes(4).build());
    world.step();
    const EvalJobStatus& status = world.observed.job.status;
    EXPECT_EQ(status.observed_generation, 1);
    EXPECT_EQ(status.nodes.total, 4);
    EXPECT_EQ(status.selector, "evaljob.dev/job=demo,evaljob.dev/role=node");
    EXPECT_FALSE(condition(world, "Running").status);
    EXPECT_FALSE(condition(world, "RendezvousReady").status);
    EXPECT_EQ(status.start_time, "");
    EXPECT_TRUE(status.node_attempts.empty()) << "an attempt counts once it is seen";
}

TEST(Status, StartTimeIsTheFirstObservedRunning) {
    World world = running_world(JobBuilder().nodes(2));
    const std::string start = rfc3339(world.now);
    EXPECT_EQ(world.observed.job.status.start_time, start);
    world.exit(1, 1);
    world.pass(100);
    world.step();
    EXPECT_EQ(world.observed.job.status.start_time, start);
}

TEST(Status, TransitionTimeChangesWithTheStatusAlone) {
    World world = running_world(JobBuilder().nodes(2));
    const std::string began = condition(world, "Running").last_transition_time;
    world.exit(1, 137);
    world.pass(5);
    world.step();
    EXPECT_TRUE(condition(world, "Running").status) << "the other node goes on";
    EXPECT_EQ(condition(world, "Running").last_transition_time, began);
    world.run_pods();
    world.pass(5);
    world.exit_all(0);
    world.step();
    EXPECT_FALSE(condition(world, "Running").status);
    EXPECT_EQ(condition(world, "Running").last_transition_time, rfc3339(world.now));
}

TEST(Status, WaitingPodsAreExplained) {
    World world(JobBuilder().nodes(2).build());
    world.step();
    ContainerView waiting;
    waiting.name = "runner";
    waiting.reason = "ErrImagePull";
    world.observed.pods[1].containers = {waiting};
    world.step();
    EXPECT_EQ(condition(world, "Running").message, "Pod demo-1-0: container runner: ErrImagePull");
}

TEST(Status, RendezvousFollowsTheReport) {
    World world = running_world(JobBuilder().nodes(2));
    EXPECT_FALSE(condition(world, "RendezvousReady").status);
    world.report(0, 100, true);
    world.step();
    EXPECT_TRUE(condition(world, "RendezvousReady").status);
    world.observed.progress.reset();
    world.step();
    EXPECT_TRUE(condition(world, "RendezvousReady").status) << "unreachable is not unready";
}

TEST(Status, ProgressIsCopiedAtMostOnceInTenSeconds) {
    World world = running_world(JobBuilder().nodes(2));
    world.report(10, 100, true);
    world.step();
    EXPECT_EQ(world.observed.job.status.progress->samples_done, 10);
    EXPECT_EQ(world.observed.job.status.progress->samples_per_second, "125.0");
    EXPECT_EQ(world.observed.job.status.progress->eta_seconds, 4);
    EXPECT_EQ(world.observed.job.status.summary.progress, "10%");
    world.pass(9);
    world.report(50, 100, true);
    world.step();
    EXPECT_EQ(world.observed.job.status.progress->samples_done, 10);
    world.pass(1);
    world.report(60, 100, true);
    world.step();
    EXPECT_EQ(world.observed.job.status.progress->samples_done, 60);
}

TEST(Status, LookAgainForProgress) {
    World world = running_world(JobBuilder().nodes(2));
    EXPECT_EQ(world.step().look_again, std::chrono::seconds{2}) << "until the ranks have met";
    world.pass(60);
    EXPECT_EQ(world.step().look_again, std::chrono::seconds{6}) << "less often the longer that takes";
    world.pass(3'600);
    EXPECT_EQ(world.step().look_again, std::chrono::seconds{10});
    world.report(10, 100, true);
    EXPECT_EQ(world.step().look_again, std::chrono::seconds{10});
}

TEST(Status, LastSampleMakesIt100Percent) {
    World world = running_world(JobBuilder().nodes(2));
    world.report(9'999, 10'000, true);
    world.step();
    EXPECT_EQ(world.observed.job.status.summary.progress, "99%");
    world.pass(1);
    world.exit_all(0);
    world.step();
    EXPECT_EQ(world.observed.job.status.summary.progress, "100%") << "runners exit 0 only when all is done";
}

TEST(Status, NumbersFromAPodAreNotTrusted) {
    World world = running_world(JobBuilder().nodes(2));
    world.report(500, 100, true);
    world.observed.progress->samples_per_second = -1;
    world.observed.progress->eta_seconds = std::numeric_limits<double>::infinity();
    world.observed.progress->slowest_rank = std::string(10'000, 'x');
    world.observed.progress->waiting_for = std::string(10'000, 'x');
    world.step();
    const Progress& progress = *world.observed.job.status.progress;
    EXPECT_EQ(progress.samples_done, 100);
    EXPECT_EQ(progress.samples_per_second, "0.0");
    EXPECT_EQ(progress.eta_seconds, 0);
    EXPECT_LE(progress.slowest_rank.size(), 64U);
    EXPECT_LE(progress.waiting_for.size(), 256U);
    world.exit_all(0);
    world.step();
    EXPECT_EQ(world.observed.job.status.progress->waiting_for, "") << "whoever has ended waits for nothing";
}

TEST(Status, SuccessCarriesTheMergesReport) {
    World world = running_world(JobBuilder().nodes(2).claim("results"));
    world.exit_all(0);
    world.step();
    world.finish_merge(encode_merge_report(published()));
    world.pass(7);
    const Plan plan = world.step();
    const EvalJobStatus& status = world.observed.job.status;
    EXPECT_EQ(status.identity, test::frozen_identity());
    EXPECT_EQ(status.results->claim_name, "results");
    EXPECT_EQ(status.results->path, "demo/results/sha256-d1");
    EXPECT_EQ(status.results->sha256, "d1");
    EXPECT_EQ(status.results->repeated, 3);
    EXPECT_EQ(status.summary.score, "0.913");
    EXPECT_EQ(status.progress->samples_done, 100);
    EXPECT_EQ(status.completion_time, rfc3339(world.now));
    EXPECT_TRUE(condition(world, "Merged").status);
    EXPECT_TRUE(condition(world, "Succeeded").status);
    EXPECT_EQ(find_condition(status, "Failed"), nullptr);
    EXPECT_THAT(plan.events.at(0).note, HasSubstr("score 0.913"));
}

TEST(Status, PartialResultsSaySo) {
    World world = running_world(JobBuilder().nodes(2));
    world.exit_all(0);
    world.step();
    MergeReport report = published();
    report.partial = true;
    report.missing = 2;
    world.finish_merge(encode_merge_report(report));
    world.step();
    EXPECT_EQ(condition(world, "Succeeded").reason, "Partial");
    EXPECT_THAT(condition(world, "Succeeded").message, HasSubstr("2 missing"));
}

TEST(Status, ResultOfUnknownCompletenessSaysSoAndHasNoCountOfMissing) {
    World world(JobBuilder().nodes(2).custom_image().group().build());
    world.step();
    world.run_pods();
    world.step();
    world.exit_all(0);
    world.step();
    MergeReport report = published();
    report.missing = std::nullopt;
    report.metrics.clear();
    world.finish_merge(encode_merge_report(report));
    world.step();
    const EvalJobStatus& status = world.observed.job.status;
    EXPECT_EQ(condition(world, "Succeeded").reason, "CompletenessUnknown");
    EXPECT_EQ(condition(world, "Merged").reason, "CompletenessUnknown");
    EXPECT_THAT(condition(world, "Succeeded").message, HasSubstr("merge.expect"));
    EXPECT_EQ(status.results->missing, std::nullopt);
    EXPECT_EQ(status.progress, std::nullopt) << "of a total that nobody knows";
    EXPECT_FALSE(status_to_json(status).at("results").contains("missing"));
}

TEST(Status, TellsOfAnswersThatMayBeNoneAndRoundsTheScoreAsTheReportDoes) {
    World world = running_world(JobBuilder().nodes(2));
    world.exit_all(0);
    world.step();
    MergeReport report = published();
    report.metrics.at(0).value = "0.666667";
    report.answers = {.empty = 8, .truncated = 2, .filtered = 1, .refused = 3};
    world.finish_merge(encode_merge_report(report));
    world.step();
    const EvalJobStatus& status = world.observed.job.status;
    EXPECT_EQ(status.results->answers, report.answers);
    EXPECT_EQ(status.summary.score, "0.667");
}

TEST(Status, FailedProofNamesTheSamplesOnceAndKeepsTheCounts) {
    World world = running_world(JobBuilder().nodes(2));
    world.exit_all(0);
    world.step();
    MergeReport report = published();
    report.published = false;
    report.missing = 1;
    report.ids = {"s7"};
    report.error = "1 of 100 samples is missing: s7";
    world.fail_merge(13, encode_merge_report(report));
    world.step();
    EXPECT_EQ(condition(world, "Failed").reason, "ProofFailed");
    EXPECT_EQ(condition(world, "Failed").message, "the merge exited 13: 1 of 100 samples is missing: s7");
    EXPECT_FALSE(condition(world, "Merged").status);
    EXPECT_EQ(world.observed.job.status.results->missing, 1);
    EXPECT_EQ(world.observed.job.status.summary.score, "") << "no score without a proof";
}

TEST(Status, ReportThatCannotBeReadIsNoSuccess) {
    World world = running_world(JobBuilder().nodes(2));
    world.exit_all(0);
    world.step();
    world.finish_merge("all fine, trust me");
    world.step();
    EXPECT_EQ(condition(world, "Failed").reason, "MergeReportUnreadable");
}

TEST(Status, MergeThatPublishedNothingIsNoSuccess) {
    World world = running_world(JobBuilder().nodes(2));
    world.exit_all(0);
    world.step();
    MergeReport report = published();
    report.published = false;
    world.finish_merge(encode_merge_report(report));
    world.step();
    EXPECT_EQ(condition(world, "Failed").reason, "MergeFailed");
}

TEST(Status, AForeignPodIsNotBelieved) {
    World world = running_world(JobBuilder().nodes(2));
    world.exit_all(0);
    world.step();
    world.finish_merge(encode_merge_report(published()));
    world.observed.pods.back().owner_uid = "someone else";
    world.step();
    EXPECT_FALSE(is_true(world.observed.job.status, "Succeeded"));
}

TEST(Status, FailureSaysTheFirstFailingPodsLastWords) {
    World world = running_world(JobBuilder().nodes(3).max_restarts(1));
    world.exit(2, 139, "rank 5: segmentation fault in sample s12");
    world.step();
    world.run_pods();
    world.pass(10);
    world.exit(0, 1, "connection to rank 5 lost");
    world.step();
    EXPECT_EQ(condition(world, "Failed").reason, "MaxRestartsExceeded");
    EXPECT_EQ(
        condition(world, "Failed").message,
        "Pod demo-0-0 exited 1 (Error), and restartPolicy.maxRestarts (1) is used up. First failure: Pod demo-2-0 "
        "exited 139 (Error): rank 5: segmentation fault in sample s12");
    EXPECT_EQ(world.observed.job.status.restarts, 1);
}

TEST(Status, EvictionIsNamed) {
    World world = running_world(JobBuilder().nodes(1).max_restarts(0));
    PodView& pod = world.observed.pods.front();
    pod.phase = "Failed";
    pod.reason = "Evicted";
    pod.message = "The node was low on resource: memory.";
    pod.containers.clear();
    EXPECT_EQ(world.step().events.at(0).note,
              "Pod demo-0-0 failed (Evicted): The node was low on resource: memory.; node 0 starts attempt 1 (outside "
              "the limit)");
}

TEST(Status, FailedInitContainerSpeaksForItsPod) {
    World world(JobBuilder().nodes(1).max_restarts(0).build());
    world.step();
    PodView& pod = world.observed.pods.front();
    pod.phase = "Failed";
    ContainerView runner;
    runner.name = "runner";
    runner.reason = "PodInitializing";
    ContainerView init;
    init.name = "fetch";
    init.terminated = true;
    init.exit_code = 4;
    init.termination_message = "no such bucket";
    pod.containers = {runner, init};
    world.step();
    EXPECT_THAT(condition(world, "Failed").message, HasSubstr("no such bucket"));
}

// A Pod's last words drew a line of their own into `kubectl describe`.
TEST(Status, WhatPodsSayIsOneLineInWhichNothingActs) {
    World world(JobBuilder().nodes(1).max_restarts(0).build());
    world.step();
    PodView& pod = world.observed.pods.front();
    pod.phase = "Failed";
    ContainerView runner;
    runner.name = "runner";
    runner.terminated = true;
    runner.exit_code = 1;
    runner.termination_message = "it died\n  Succeeded  True\x1b[2J\xe2\x80\xae";
    pod.containers = {runner};
    const auto plan = world.step();
    EXPECT_THAT(condition(world, "Failed").message, HasSubstr("it died\\n  Succeeded  True\\x1b[2J\\u202e"));
    EXPECT_THAT(plan.events.at(0).note, HasSubstr("it died\\n  Succeeded  True\\x1b[2J\\u202e"));
}

TEST(Status, FinalExitCodesHaveTheirReasons) {
    const std::map<int, std::string> reasons = {
        {2, "UsageError"}, {10, "ContractViolated"}, {11, "IdentityMismatch"}, {12, "BadInput"}};
    for (const auto& [code, reason] : reasons) {
        World world = running_world(JobBuilder().nodes(2));
        world.exit(1, code, "RANK is 3 twice");
        world.step();
        EXPECT_EQ(condition(world, "Failed").reason, reason);
        EXPECT_THAT(condition(world, "Failed").message, HasSubstr("RANK is 3 twice"));
        EXPECT_EQ(world.observed.job.status.restarts, 0);
    }
}

TEST(Status, LongMessagesAreCutAtACharacter) {
    World world = running_world(JobBuilder().nodes(1).max_restarts(0));
    std::string words;
    for (int i = 0; i < 10'000; ++i) words += "é";
    world.exit(0, 1, words);
    const Plan plan = world.step();
    const std::string& message = condition(world, "Failed").message;
    EXPECT_LE(message.size(), 8192U);
    EXPECT_TRUE(message.ends_with("é…"));
    EXPECT_LE(plan.events.at(0).note.size(), 1024U);
    EXPECT_NO_THROW(Json(plan.events.at(0).note).dump());
}

TEST(Status, RestartEventNamesNodeAttemptAndDeath) {
    World world = running_world(JobBuilder().nodes(2));
    world.exit(1, 137);
    EXPECT_EQ(world.step().events.at(0).note,
              "Pod demo-1-0 exited 137 (Error); node 1 starts attempt 1 (1 of 3 restarts)");
}

TEST(Status, AnEventIsNotSaidAgainWhenAStepIsRepeated) {
    World world = running_world(JobBuilder().nodes(2));
    world.exit(1, 137);
    const EvalJobStatus written = make_plan(world.observed, world.settings, world.now).status;
    world.observed.job.status = written;  // status is there, the new Pod is not seen yet
    const Plan again = make_plan(world.observed, world.settings, world.now);
    EXPECT_EQ(line(again), "+demo-1-1 |  | Restarting 1/2");
    EXPECT_EQ(again.status, written);
}

TEST(Status, ScaledDownNodesAreEnded) {
    World world = running_world(JobBuilder().nodes(3));
    world.observed.job.spec.num_nodes = 2;
    EXPECT_EQ(line(world.step()), "-demo-2-0 | Scaled | Running 2/2");
}

}  // namespace
}  // namespace evaljob::testing
