// What a spec asks for beyond the ordinary life: suspension, deadlines, rules, scaling, time to live.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/plan/status.hpp"
#include "sequences.hpp"

namespace evaljob::testing {
namespace {

void suspend(World& world) { world.observed.job.spec.suspend = true; }
void resume(World& world) { world.observed.job.spec.suspend = false; }
auto scale(std::int32_t nodes) {
    return [=](World& world) { world.observed.job.spec.num_nodes = nodes; };
}
auto is_evicted(std::int32_t node) {
    return [=](World& world) { world.evict(node); };
}
auto ends_evicted(std::int32_t node) {
    return [=](World& world) { world.end_evicted(node); };
}
auto idles(std::int64_t seconds, std::int32_t attempt = 0) {
    return [=](World& world) {
        world.report(10, 100, true);
        world.observed.progress->idle_seconds = seconds;
        world.observed.progress->attempt = attempt;
    };
}
RestartRule on_codes(std::vector<std::int32_t> codes, RestartAction action, bool in = true) {
    return {action, ExitCodeMatch{in, std::move(codes)}, {}};
}
RestartRule on_condition(const std::string& type, RestartAction action) { return {action, {}, {{type, "True"}}}; }

class Policies : public ::testing::TestWithParam<Row> {};

TEST_P(Policies, Plans) { play(GetParam()); }

const Step restarted_one = {exits(1, 137), "+demo-1-1 | NodeRestarted | Restarting 1/2"};
const Step failed = {nothing, "-demo-0-0 |  | Failed 1/2"};

const std::vector<Row> suspension = {
    {"SuspendedFromTheStart",
     JobBuilder().nodes(2).suspended(),
     {{nothing, " | Suspended | Suspended 0/2"},
      {nothing, " |  | Suspended 0/2"},
      {resume, "Service, +demo-0-0, +demo-1-0 | NodesCreated, Resumed | Starting 0/2"}}},
    {"SuspendedAndResumed_RestartsNothingFromTheBudget",
     JobBuilder().nodes(2).max_restarts(0),
     {made_two,
      run_two,
      {suspend, "-demo-0-0, -demo-1-0 | Suspended | Suspended 0/2"},
      {nothing, " |  | Suspended 0/2"},
      {gone, " |  | Suspended 0/2"},
      {resume, "+demo-0-1, +demo-1-1 | Resumed | Restarting 0/2"},
      {run, " |  | Running 2/2"},
      to_merge,
      {merged, " | Succeeded | Succeeded 2/2"}}},
    {"ResumedBeforeTheOldPodsHaveGone",
     JobBuilder().nodes(2).max_restarts(0),
     {made_two,
      run_two,
      {suspend, "-demo-0-0, -demo-1-0 | Suspended | Suspended 0/2"},
      {resume, " | Resumed | Restarting 0/2"},
      {gone, "+demo-0-1, +demo-1-1 |  | Restarting 0/2"}}},
    {"DeathsWhileSuspendedDoNotCount",
     JobBuilder().nodes(2).max_restarts(0),
     {made_two,
      run_two,
      {[](World& world) {
           suspend(world);
           world.exit(1, 1);
       },
       "-demo-0-0 | Suspended | Suspended 0/2"},
      {gone, " |  | Suspended 0/2"},
      {resume, "+demo-0-1, +demo-1-1 | Resumed | Restarting 0/2"}}},
    {"DoneNodesStayDone",
     JobBuilder().nodes(2).max_restarts(0),
     {made_two,
      run_two,
      {[](World& world) { world.report(10, 100, true); }, " |  | Running 2/2"},
      {exits(1, 0), " |  | Running 2/2"},
      {suspend, "-demo-0-0 | Suspended | Suspended 1/2"},
      {gone, " |  | Suspended 2/2"},
      {resume, "Merge | Resumed | Merging 2/2"}}},
    {"GroupBeginsANewAttempt",
     JobBuilder().nodes(2).custom_image().group().max_restarts(0),
     {{nothing, "Service, +demo-0-0, +demo-1-0 | NodesCreated | Starting 0/2"},
      run_two,
      {exits(1, 0), " |  | Running 2/2"},
      {suspend, "-demo-0-0 | Suspended | Suspended 0/2"},
      {gone, " |  | Suspended 0/2"},
      {resume, "+demo-0-1, +demo-1-1 | Resumed | Restarting 0/2"}}},
    {"SuspendedWhileMerging",
     JobBuilder().nodes(2),
     {made_two,
      run_two,
      to_merge,
      {suspend, "-Merge | Suspended | Suspended 2/2"},
      {nothing, " |  | Suspended 2/2"},
      {resume, "Merge | Resumed | Merging 2/2"},
      {merged, " | Succeeded | Succeeded 2/2"}}},
    {"AnImageOfYourOwnSuspendedWhileMergingKeepsItsAttempt",
     JobBuilder().nodes(2).custom_image().group(),
     {{nothing, "Service, +demo-0-0, +demo-1-0 | NodesCreated | Starting 0/2"},
      run_two,
      to_merge,
      {[](World& world) {
           suspend(world);
           world.vanish(1);
       },
       "-Merge | Suspended | Suspended 1/2"},
      {nothing, " |  | Suspended 1/2"},
      {[](World& world) {
           EXPECT_EQ(world.observed.job.status.attempt, 0);
           resume(world);
       },
       "Merge | Resumed | Merging 2/2"}}},
    {"AFinishedMergeIsNotSuspended",
     JobBuilder().nodes(2),
     {made_two,
      run_two,
      to_merge,
      {[](World& world) {
           merged(world);
           suspend(world);
       },
       " | Succeeded | Succeeded 2/2"}}},
};

const std::vector<Row> deadlines = {
    {"ActiveDeadlineCountsFromRunning",
     JobBuilder().nodes(2).active_deadline(100),
     {made_two,
      {passes(1000), " |  | Starting 0/2"},
      run_two,
      {passes(90), " |  | Running 2/2"},
      {passes(10), " | Failed | Failed 2/2"},
      {nothing, "-demo-0-0, -demo-1-0 |  | Failed 2/2"},
      {gone, " |  | Failed 2/2"}}},
    {"ActiveDeadlineBeginsAnewWhenResumed",
     JobBuilder().nodes(2).active_deadline(100),
     {made_two,
      run_two,
      {passes(90), " |  | Running 2/2"},
      {suspend, "-demo-0-0, -demo-1-0 | Suspended | Suspended 0/2"},
      {gone, " |  | Suspended 0/2"},
      {passes(1000), " |  | Suspended 0/2"},
      {resume, "+demo-0-1, +demo-1-1 | Resumed | Restarting 0/2"},
      {run, " |  | Running 2/2"},
      {passes(90), " |  | Running 2/2"},
      {passes(10), " | Failed | Failed 2/2"}}},
    {"ActiveDeadlineHoldsForTheMerge",
     JobBuilder().nodes(2).active_deadline(100),
     {made_two, run_two, to_merge, {passes(100), " | Failed | Failed 2/2"}, {nothing, "-Merge |  | Failed 2/2"}}},
    {"StartupDeadline",
     JobBuilder().nodes(2).startup_deadline(100),
     {made_two,
      {passes(90), " |  | Starting 0/2"},
      {passes(10), " | Failed | Failed 0/2"},
      {nothing, "-demo-0-0, -demo-1-0 |  | Failed 0/2"}}},
    {"StartupDeadlineIsForWhatIsNeeded",
     JobBuilder().nodes(2).startup_deadline(100),
     {made_two, {[](World& world) { world.run_pod(0); }, " |  | Running 1/2"}, {passes(1000), " |  | Running 1/2"}}},
    {"StartupDeadlineOfMinNodes",
     JobBuilder().nodes(2).min_nodes(2).startup_deadline(100),
     {made_two,
      {[](World& world) { world.run_pod(0); }, " |  | Starting 1/2"},
      {passes(100), " | Failed | Failed 1/2"}}},
    {"StartupDeadlineOfNodeZeroAgain",
     JobBuilder().nodes(2).startup_deadline(100),
     {made_two,
      run_two,
      {passes(1000), " |  | Running 2/2"},
      {exits(0, 137), "+demo-0-1 | NodeRestarted | Restarting 1/2"},
      {passes(90), " |  | Restarting 1/2"},
      {passes(10), " | Failed | Failed 1/2"}}},
    {"StartupDeadlineDoesNotCountSuspension",
     JobBuilder().nodes(2).startup_deadline(100).suspended(),
     {{nothing, " | Suspended | Suspended 0/2"},
      {passes(1000), " |  | Suspended 0/2"},
      {resume, "Service, +demo-0-0, +demo-1-0 | NodesCreated, Resumed | Starting 0/2"},
      {passes(90), " |  | Starting 0/2"},
      {passes(10), " | Failed | Failed 0/2"}}},
    {"StartupDeadlineOfTheMerge",
     JobBuilder().nodes(2).startup_deadline(100),
     {made_two,
      run_two,
      to_merge,
      {passes(90), " |  | Merging 2/2"},
      {passes(10), " | Failed | Failed 2/2"},
      {nothing, "-Merge |  | Failed 2/2"}}},
    {"ProgressDeadlineRestartsAllNodesOnce",
     JobBuilder().nodes(2).progress_deadline(60).max_restarts(1),
     {made_two,
      run_two,
      {idles(59), " |  | Running 2/2"},
      {idles(60), "-demo-0-0, -demo-1-0 | GroupRestarted | Restarting 0/2"},
      {idles(61), " |  | Restarting 0/2"},
      {gone, "+demo-0-1, +demo-1-1 |  | Restarting 0/2"},
      {run, " |  | Running 2/2"},
      {idles(62, 0), " |  | Running 2/2"},
      {idles(60, 1), " | Failed | Failed 2/2"}}},
    {"UnreachableIsNotStalled",
     JobBuilder().nodes(2).progress_deadline(60),
     {made_two, run_two, {passes(10'000), " |  | Running 2/2"}}},
};

const std::vector<Row> rules = {
    {"RuleFails",
     JobBuilder().nodes(2).rule(on_codes({42}, RestartAction::Fail)),
     {made_two, run_two, {exits(1, 42), " | Failed | Failed 1/2"}, failed}},
    {"RuleRestartsOutsideTheLimit",
     JobBuilder().nodes(2).max_restarts(0).rule(on_codes({137}, RestartAction::RestartIgnoreLimit)),
     {made_two, run_two, restarted_one, {run, " |  | Running 2/2"}, {exits(0, 1), " | Failed | Failed 1/2"}}},
    {"RuleRestartsWhatWouldBeFinal",
     JobBuilder().nodes(2).rule(on_codes({12}, RestartAction::Restart)),
     {made_two, run_two, {exits(1, 12), "+demo-1-1 | NodeRestarted | Restarting 1/2"}}},
    {"TheFirstRuleThatMatchesDecides",
     JobBuilder()
         .nodes(2)
         .rule(on_codes({1}, RestartAction::Restart))
         .rule(on_codes({1, 2}, RestartAction::Fail))
         .max_restarts(1),
     {made_two, run_two, {exits(1, 1), "+demo-1-1 | NodeRestarted | Restarting 1/2"}}},
    {"NotInIsEveryOtherCode",
     JobBuilder().nodes(2).rule(on_codes({137}, RestartAction::Fail, false)),
     {made_two, run_two, restarted_one, {run, " |  | Running 2/2"}, {exits(0, 3), " | Failed | Failed 1/2"}}},
    {"RuleByPodCondition",
     JobBuilder().nodes(2).rule(on_condition("DisruptionTarget", RestartAction::Fail)),
     {made_two, run_two, {ends_evicted(1), " | Failed | Failed 1/2"}}},
    {"EvictionIsOutsideTheBudget",
     JobBuilder().nodes(2).max_restarts(0),
     {made_two,
      run_two,
      {is_evicted(1), " | NodeRestarted | Restarting 1/2"},
      {nothing, " |  | Restarting 1/2"},
      {ends_evicted(1), "+demo-1-1 |  | Restarting 1/2"}}},
    {"EvictionWhosePodHasVanishedIsOutsideTheBudget",
     JobBuilder().nodes(2).max_restarts(0),
     {made_two,
      run_two,
      {is_evicted(1), " | NodeRestarted | Restarting 1/2"},
      {vanishes(1), "+demo-1-1 |  | Restarting 1/2"}}},
    {"GroupWhoseMemberIsEvictedIsOutsideTheBudget",
     JobBuilder().nodes(2).custom_image().group().max_restarts(0),
     {{nothing, "Service, +demo-0-0, +demo-1-0 | NodesCreated | Starting 0/2"},
      run_two,
      {[](World& world) {
           world.exit(0, 1, "a peer is gone");
           world.end_evicted(1);
       },
       "+demo-0-1, +demo-1-1 | GroupRestarted | Restarting 0/2"}}},
    {"VanishedAfterItsDeathWasCountedIsNotCountedAgain",
     JobBuilder().nodes(2).max_restarts(1),
     {made_two,
      run_two,
      {exits(1, 1), "+demo-1-1 | NodeRestarted | Restarting 1/2"},
      {[](World& world) { std::erase_if(world.observed.pods, [](const PodView& p) { return p.name == "demo-1-0"; }); },
       " |  | Restarting 1/2"},
      {run, " |  | Running 2/2"}}},
    {"NextPodThatVanishedBeforeItWasSeenIsMadeAgain",
     JobBuilder().nodes(2).max_restarts(1),
     {made_two,
      run_two,
      {exits(1, 1), "+demo-1-1 | NodeRestarted | Restarting 1/2"},
      {vanishes(1), "+demo-1-1 |  | Restarting 1/2"}}},
    {"PodOnALostNodeIsReplacedAfterABoundedTime",
     JobBuilder().nodes(2).max_restarts(0),
     {made_two,
      run_two,
      {is_evicted(1), " | NodeRestarted | Restarting 1/2"},
      {passes(58), " |  | Restarting 1/2"},
      {passes(1), "--demo-1-0 |  | Restarting 1/2"},
      {nothing, "+demo-1-1 |  | Restarting 1/2"}}},
};

const std::vector<Row> scaling = {
    {"ScaledUp",
     JobBuilder().nodes(2),
     {made_two,
      run_two,
      {scale(3), "+demo-2-0 | Scaled | Running 2/3"},
      {run, " |  | Running 3/3"},
      {all_exit(0), "Merge |  | Merging 3/3"}}},
    {"ScaledDown",
     JobBuilder().nodes(2),
     {made_two,
      run_two,
      {scale(1), "-demo-1-0 | Scaled | Running 1/1"},
      {gone, " |  | Running 1/1"},
      {exits(0, 0), "Merge |  | Merging 1/1"}}},
    {"ScaledDownAndUpIsNoRestart",
     JobBuilder().nodes(2).max_restarts(0),
     {made_two,
      run_two,
      {scale(1), "-demo-1-0 | Scaled | Running 1/1"},
      {scale(2), " | Scaled | Restarting 1/2"},
      {gone, "+demo-1-1 |  | Restarting 1/2"},
      {run, " |  | Running 2/2"}}},
    {"ScaledDownWhileOneIsDead",
     JobBuilder().nodes(2).max_restarts(0),
     {made_two,
      run_two,
      {[](World& world) {
           world.exit(1, 1);
           scale(1)(world);
       },
       " | Scaled | Running 1/1"}}},
    {"ScaledWhileSuspended",
     JobBuilder().nodes(2).suspended(),
     {{nothing, " | Suspended | Suspended 0/2"},
      {scale(1), " | Scaled | Suspended 0/1"},
      {resume, "Service, +demo-0-0 | NodesCreated, Resumed | Starting 0/1"}}},
    {"ScaledWhileMergingChangesNothing",
     JobBuilder().nodes(2),
     {made_two, run_two, to_merge, {scale(5), " | Scaled | Merging 5/5"}, {merged, " | Succeeded | Succeeded 5/5"}}},
    {"MinNodesAreEnoughToRun",
     JobBuilder().nodes(3).min_nodes(2),
     {{nothing, "Service, +demo-0-0, +demo-1-0, +demo-2-0 | NodesCreated | Starting 0/3"},
      {[](World& world) { world.run_pod(1); }, " |  | Starting 1/3"},
      {[](World& world) { world.run_pod(0); }, " |  | Running 2/3"}}},
    {"NodeZeroIsAlwaysNeeded",
     JobBuilder().nodes(2).min_nodes(1),
     {made_two, {[](World& world) { world.run_pod(1); }, " |  | Starting 1/2"}}},
};

const std::vector<Row> ends = {
    {"TimeToLive",
     JobBuilder().nodes(2).time_to_live(60),
     {made_two,
      run_two,
      to_merge,
      {merged, " | Succeeded | Succeeded 2/2"},
      {passes(58), " |  | Succeeded 2/2"},
      {passes(1), "-EvalJob |  | Succeeded 2/2"},
      {nothing, " |  | Succeeded 2/2"}}},
    {"TimeToLiveOfNone",
     JobBuilder().nodes(1).max_restarts(0).time_to_live(0),
     {{nothing, "Service, +demo-0-0 | NodesCreated | Starting 0/1"},
      {exits(0, 1), " | Failed | Failed 0/1"},
      {nothing, "-EvalJob |  | Failed 0/1"}}},
    {"SomeoneElsesJobIsLeftAlone",
     JobBuilder().nodes(2).managed_by("kueue.x-k8s.io/multikueue"),
     {{nothing, " |  |  "}, {suspend, " |  |  "}}},
    {"OursByName", JobBuilder().nodes(2).managed_by(operator_name), {made_two}},
    {"DeletedWhileSuspended",
     JobBuilder().nodes(2),
     {made_two,
      run_two,
      {suspend, "-demo-0-0, -demo-1-0 | Suspended | Suspended 0/2"},
      {[](World& world) { world.observed.job.meta.deleting = true; }, " |  | Suspended 0/2"},
      {resume, " |  | Suspended 0/2"}}},
    {"DeletedWhileMerging",
     JobBuilder().nodes(2),
     {made_two,
      run_two,
      to_merge,
      {[](World& world) { world.observed.job.meta.deleting = true; }, " |  | Merging 2/2"},
      {[](World& world) { world.observed.merge_job.reset(); }, " |  | Merging 2/2"}}},
};

const auto name_of_row = [](const auto& row) { return row.param.name; };
INSTANTIATE_TEST_SUITE_P(Suspension, Policies, ::testing::ValuesIn(suspension), name_of_row);
INSTANTIATE_TEST_SUITE_P(Deadlines, Policies, ::testing::ValuesIn(deadlines), name_of_row);
INSTANTIATE_TEST_SUITE_P(Rules, Policies, ::testing::ValuesIn(rules), name_of_row);
INSTANTIATE_TEST_SUITE_P(Scaling, Policies, ::testing::ValuesIn(scaling), name_of_row);
INSTANTIATE_TEST_SUITE_P(Ends, Policies, ::testing::ValuesIn(ends), name_of_row);

TEST(Policies, AFailureNamesItsDeadlineAndWhatItWaitedFor) {
    World world(JobBuilder().nodes(1).startup_deadline(100).build());
    world.step();
    ContainerView runner;
    runner.name = "runner";
    runner.reason = "ErrImagePull";
    world.observed.pods.front().containers = {runner};
    world.step();
    world.pass(100);
    world.step();
    EXPECT_EQ(find_condition(world.observed.job.status, "Failed")->message,
              "startupDeadlineSeconds (100) has passed, and the job has not started: Pod demo-0-0: container runner: "
              "ErrImagePull");
}

TEST(Policies, WhatAnOldListDoesNotShowIsReadBeforeItsSuccessorIsMade_RegressionTwoLivePods) {
    World world(JobBuilder().nodes(1).build());
    world.step();
    world.run_pods();
    suspend(world);
    world.step();
    resume(world);
    world.observed.pods.clear();  // a list from before the Pod was made
    const Plan plan = make_plan(world.observed, world.settings, world.now);
    EXPECT_THAT(plan.confirm, ::testing::ElementsAre("demo-0-0"));
    EXPECT_TRUE(plan.actions.empty());
}

TEST(Policies, AFailureNamesItsRule) {
    World world(JobBuilder().nodes(1).rule(on_codes({42}, RestartAction::Fail)).build());
    world.step();
    world.run_pods();
    world.step();
    world.exit(0, 42, "no licence");
    world.step();
    EXPECT_EQ(find_condition(world.observed.job.status, "Failed")->message,
              "Pod demo-0-0 exited 42 (Error), for which spec.restartPolicy.rules[0] says Fail: no licence");
}

TEST(Policies, TheNextLookIsTheNextDeadline) {
    World world(JobBuilder().nodes(1).startup_deadline(100).active_deadline(1000).time_to_live(50).build());
    EXPECT_EQ(world.step().look_again, std::chrono::seconds{100});
    world.run_pods();
    world.step();
    world.pass(5);
    world.exit(0, 0);
    world.step();
    world.finish_merge(proven());
    world.step();
    EXPECT_EQ(world.step().look_again, std::chrono::seconds{50});
}

}  // namespace
}  // namespace evaljob::testing
