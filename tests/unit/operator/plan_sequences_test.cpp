// Whole lives of jobs as tables: what happens, and the one line of the plan that answers it.
#include <gtest/gtest.h>

#include "api/merge_report.hpp"
#include "builders.hpp"
#include "operator/plan/status.hpp"
#include "world.hpp"

namespace evaljob::testing {
namespace {

std::string proven() {
    MergeReport report;
    report.published = true;
    report.identity = "id";
    report.digest = "d1";
    report.path = "results/sha256-d1";
    report.samples = 100;
    report.metrics = {{"fashion", "accuracy", "", "0.9134", "0.0028", 100}};
    return encode_merge_report(report);
}

std::string unproven() {
    MergeReport report;
    report.samples = 100;
    report.missing = 1;
    report.ids = {"s7"};
    report.error = "1 of 100 samples is missing";
    return encode_merge_report(report);
}

struct Step {
    std::function<void(World&)> happens;
    std::string plan;
};

struct Row {
    std::string name;
    JobBuilder job;
    std::vector<Step> steps;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

void nothing(World&) {}
void run(World& world) { world.run_pods(); }
void gone(World& world) { world.finish_deletions(); }
auto exits(std::int32_t node, int code) {
    return [=](World& world) { world.exit(node, code, "last words of node " + std::to_string(node)); };
}
auto all_exit(int code) {
    return [=](World& world) { world.exit_all(code); };
}
auto vanishes(std::int32_t node) {
    return [=](World& world) { world.vanish(node); };
}
auto is_deleted(std::int32_t node) {
    return [=](World& world) { world.begin_deletion(node); };
}
void merged(World& world) { world.finish_merge(proven()); }

const Step made_two = {nothing, "Token, Service, +demo-0-0, +demo-1-0 | NodesCreated | Starting 0/2"};
const Step run_two = {run, " |  | Running 2/2"};
const Step quiet_two = {nothing, " |  | Running 2/2"};
const Step to_merge = {all_exit(0), "Merge | MergeStarted | Merging 2/2"};

class Sequences : public ::testing::TestWithParam<Row> {};

TEST_P(Sequences, Plans) {
    World world(GetParam().job.build());
    int number = 0;
    for (const Step& step : GetParam().steps) {
        SCOPED_TRACE("step " + std::to_string(number++));
        step.happens(world);
        EXPECT_EQ(line(world.step()), step.plan);
        world.pass(1);
    }
    world.settle();
}

const std::vector<Row> rows = {
    {"OrdinaryLife",
     JobBuilder().nodes(2),
     {made_two,
      {nothing, " |  | Starting 0/2"},
      run_two,
      quiet_two,
      {exits(1, 0), " |  | Running 2/2"},
      {exits(0, 0), "Merge | MergeStarted | Merging 2/2"},
      {nothing, " |  | Merging 2/2"},
      {merged, " | Succeeded | Succeeded 2/2"},
      {nothing, " |  | Succeeded 2/2"}}},
    {"OneNodeIsTheSame",
     JobBuilder().nodes(1),
     {{nothing, "Token, Service, +demo-0-0 | NodesCreated | Starting 0/1"},
      {run, " |  | Running 1/1"},
      {exits(0, 0), "Merge | MergeStarted | Merging 1/1"},
      {merged, " | Succeeded | Succeeded 1/1"}}},
    {"FinishedBeforeSeenRunning",
     JobBuilder().nodes(2),
     {made_two, to_merge, {merged, " | Succeeded | Succeeded 2/2"}}},
    {"CustomImageNeedsNoToken",
     JobBuilder().nodes(1).custom_image().group(),
     {{nothing, "Service, +demo-0-0 | NodesCreated | Starting 0/1"}, {run, " |  | Running 1/1"}}},

    {"NodeDiesAndIsReplaced",
     JobBuilder().nodes(2),
     {made_two,
      run_two,
      {exits(1, 137), "+demo-1-1 | NodeRestarted | Restarting 1/2"},
      {nothing, " |  | Restarting 1/2"},
      {run, " |  | Running 2/2"},
      to_merge}},
    {"NodeDiesBeforeAllRun",
     JobBuilder().nodes(2),
     {made_two, {exits(0, 1), "+demo-0-1 | NodeRestarted | Restarting 0/2"}, {run, " |  | Running 2/2"}}},
    {"NodeDiesAfterAnotherSucceeded",
     JobBuilder().nodes(2),
     {made_two,
      run_two,
      {exits(0, 0), " |  | Running 2/2"},
      {exits(1, 1), "+demo-1-1 | NodeRestarted | Restarting 1/2"},
      {run, " |  | Running 2/2"},
      {exits(1, 0), "Merge | MergeStarted | Merging 2/2"}}},
    {"AllNodesDieAtOnce",
     JobBuilder().nodes(2),
     {made_two, run_two, {all_exit(137), "+demo-0-1, +demo-1-1 | NodeRestarted, NodeRestarted | Restarting 0/2"}}},
    {"BudgetIsExact",
     JobBuilder().nodes(2).max_restarts(2),
     {made_two,
      run_two,
      {exits(0, 1), "+demo-0-1 | NodeRestarted | Restarting 1/2"},
      {run, " |  | Running 2/2"},
      {exits(1, 1), "+demo-1-1 | NodeRestarted | Restarting 1/2"},
      {run, " |  | Running 2/2"},
      {exits(0, 1), " | Failed | Failed 1/2"},
      {nothing, "-demo-1-1 |  | Failed 1/2"},
      {gone, " |  | Failed 1/2"}}},
    {"BudgetOfNone",
     JobBuilder().nodes(2).max_restarts(0),
     {made_two, run_two, {exits(1, 1), " | Failed | Failed 1/2"}, {nothing, "-demo-0-0 |  | Failed 1/2"}}},
    {"TwoDeathsWithOneLeft",
     JobBuilder().nodes(2).max_restarts(1),
     {made_two, run_two, {all_exit(1), " | Failed | Failed 0/2"}, {nothing, " |  | Failed 0/2"}}},
    {"VanishedPodsCountAgainstTheBudget",
     JobBuilder().nodes(2).max_restarts(1),
     {made_two,
      run_two,
      {vanishes(1), "+demo-1-1 | NodeRestarted | Restarting 1/2"},
      {run, " |  | Running 2/2"},
      {vanishes(1), " | Failed | Failed 1/2"}}},
    {"DeletedPodIsReplacedOnceItHasGone",
     JobBuilder().nodes(2),
     {made_two,
      run_two,
      {is_deleted(1), " |  | Restarting 1/2"},
      {nothing, " |  | Restarting 1/2"},
      {gone, "+demo-1-1 | NodeRestarted | Restarting 1/2"}}},
    {"DeletedPodThatStillSucceeds",
     JobBuilder().nodes(2),
     {made_two, run_two, {is_deleted(1), " |  | Restarting 1/2"}, {exits(1, 0), " |  | Running 2/2"}}},
    {"FinalExitCodeFailsAtOnce",
     JobBuilder().nodes(2),
     {made_two, run_two, {exits(1, 10), " | Failed | Failed 1/2"}, {nothing, "-demo-0-0 |  | Failed 1/2"}}},
    {"AnotherImagesExitCodesAreItsOwn",
     JobBuilder().nodes(1).custom_image(),
     {{nothing, "Service, +demo-0-0 | NodesCreated | Starting 0/1"},
      {exits(0, 10), "+demo-0-1 | NodeRestarted | Restarting 0/1"}}},

    {"ServersBesideTheRunnerGoOnUntilTheEnd",
     JobBuilder().nodes(1),
     {{nothing, "Token, Service, +demo-0-0 | NodesCreated | Starting 0/1"},
      {run, " |  | Running 1/1"},
      {[](World& world) { world.exit_beside_server(0, 0); }, "Merge | MergeStarted | Merging 1/1"},
      {merged, " | Succeeded | Succeeded 1/1"},
      {nothing, "-demo-0-0 |  | Succeeded 1/1"},
      {gone, " |  | Succeeded 1/1"}}},
    {"ServersOfADeadRunnerAreEndedFirst",
     JobBuilder().nodes(1),
     {{nothing, "Token, Service, +demo-0-0 | NodesCreated | Starting 0/1"},
      {run, " |  | Running 1/1"},
      {[](World& world) { world.exit_beside_server(0, 1); }, "-demo-0-0 |  | Restarting 0/1"},
      {nothing, " |  | Restarting 0/1"},
      {gone, "+demo-0-1 | NodeRestarted | Restarting 0/1"}}},

    {"DoneIsDurable_VanishedNodeIsNotRunAgain",
     JobBuilder().nodes(2).max_restarts(0),
     {made_two,
      run_two,
      {exits(1, 0), " |  | Running 2/2"},
      {vanishes(1), " |  | Running 2/2"},
      {vanishes(0), "Merge | MergeStarted | Merging 2/2"}}},
    {"DoneIsDurable_PodThatNeverStartedIsRemoved",
     JobBuilder().nodes(2),
     {made_two, {exits(0, 0), "-demo-1-0 |  | Starting 2/2"}, {nothing, "Merge | MergeStarted | Merging 2/2"}}},
    {"WithoutEvalAVanishedNodeRunsAgain",
     JobBuilder().nodes(2).custom_image(),
     {{nothing, "Service, +demo-0-0, +demo-1-0 | NodesCreated | Starting 0/2"},
      run_two,
      {exits(1, 0), " |  | Running 2/2"},
      {vanishes(1), "+demo-1-1 | NodeRestarted | Restarting 1/2"}}},

    {"GroupRestart",
     JobBuilder().nodes(2).group(),
     {made_two,
      run_two,
      {exits(1, 1), "-demo-0-0 | GroupRestarted | Restarting 1/2"},
      {nothing, " |  | Restarting 0/2"},
      {gone, "+demo-0-1, +demo-1-1 |  | Restarting 0/2"},
      {run, " |  | Running 2/2"},
      to_merge,
      {merged, " | Succeeded | Succeeded 2/2"}}},
    {"GroupBudgetIsExact",
     JobBuilder().nodes(2).group().max_restarts(1),
     {made_two,
      run_two,
      {exits(1, 1), "-demo-0-0 | GroupRestarted | Restarting 1/2"},
      {gone, "+demo-0-1, +demo-1-1 |  | Restarting 0/2"},
      {run, " |  | Running 2/2"},
      {exits(0, 1), " | Failed | Failed 1/2"},
      {nothing, "-demo-1-1 |  | Failed 1/2"}}},
    {"GroupWhoseMembersAllDieCountsOnce",
     JobBuilder().nodes(2).group().max_restarts(1),
     {made_two,
      run_two,
      {all_exit(1), " | GroupRestarted | Restarting 0/2"},
      {nothing, "+demo-0-1, +demo-1-1 |  | Restarting 0/2"}}},
    {"GroupMemberDeletedByAPerson",
     JobBuilder().nodes(2).group(),
     {made_two,
      run_two,
      {is_deleted(0), "-demo-1-0 | GroupRestarted | Restarting 1/2"},
      {gone, "+demo-0-1, +demo-1-1 |  | Restarting 0/2"}}},

    {"MergeThatFailsItsProof",
     JobBuilder().nodes(2),
     {made_two,
      run_two,
      to_merge,
      {[](World& world) { world.fail_merge(13, unproven()); }, " | Failed | Failed 2/2"},
      {nothing, " |  | Failed 2/2"}}},
    {"MergeJobDeletedByAPersonIsMadeAgain",
     JobBuilder().nodes(2),
     {made_two, run_two, to_merge, {[](World& world) { world.observed.merge_job.reset(); }, "Merge |  | Merging 2/2"}}},
    {"MergeWhosePodIsNotSeenYetIsWaitedFor",
     JobBuilder().nodes(2),
     {made_two,
      run_two,
      to_merge,
      {[](World& world) {
           world.observed.merge_job->complete = true;
           world.observed.merge_job->finished_at = world.now;
       },
       " |  | Merging 2/2"},
      {[](World& world) { world.pass(60); }, "-Merge |  | Merging 2/2"},
      {nothing, "Merge |  | Merging 2/2"},
      {merged, " | Succeeded | Succeeded 2/2"}}},
    {"NodesAreNotRunAgainOnceMerging",
     JobBuilder().nodes(2).custom_image(),
     {{nothing, "Service, +demo-0-0, +demo-1-0 | NodesCreated | Starting 0/2"},
      run_two,
      to_merge,
      {vanishes(0), " |  | Merging 2/2"},
      {vanishes(1), " |  | Merging 2/2"}}},
    {"NothingIsMadeAfterTheEnd",
     JobBuilder().nodes(2),
     {made_two,
      run_two,
      to_merge,
      {merged, " | Succeeded | Succeeded 2/2"},
      {[](World& world) {
           world.observed.pods.clear();
           world.observed.service.reset();
           world.observed.merge_job.reset();
       },
       " |  | Succeeded 2/2"}}},
    {"ServiceDeletedByAPersonIsMadeAgain",
     JobBuilder().nodes(2),
     {made_two, run_two, {[](World& world) { world.observed.service.reset(); }, "Service |  | Running 2/2"}}},
    {"DeletedJobIsLeftToGarbageCollection",
     JobBuilder().nodes(2),
     {made_two,
      run_two,
      {[](World& world) {
           world.observed.job.meta.deleting = true;
           world.vanish(0);
       },
       " |  | Running 2/2"}}},
};

INSTANTIATE_TEST_SUITE_P(Plan, Sequences, ::testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::testing
