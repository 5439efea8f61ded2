// What keeps Pods from starting, in the scheduler's and the kubelet's words; servers beside the runner.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/kube/views.hpp"
#include "operator/plan/status.hpp"
#include "sequences.hpp"

namespace evaljob::testing {
namespace {

using ::testing::HasSubstr;

const Condition* condition(const World& world, const char* type) {
    return find_condition(world.observed.job.status, type);
}

World two_made() {
    World world(JobBuilder().nodes(2).startup_deadline(60).build());
    world.step();
    world.step();  // with the Pods seen
    return world;
}

/// The status of a Pod as the API has it, read the way the operator reads it.
void set_status(World& world, std::size_t index, const char* status) {
    PodView& pod = world.observed.pods[index];
    const PodView read = kube::pod_view({{"metadata", {{"name", pod.name}}}, {"status", Json::parse(status)}});
    pod.phase = read.phase;
    pod.reason = read.reason;
    pod.message = read.message;
    pod.scheduled = read.scheduled;
    pod.containers = read.containers;
}

constexpr const char* placed = R"({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}]})";
constexpr const char* no_room = R"({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
    "reason": "Unschedulable", "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."}]})";
constexpr const char* gated = R"({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
    "reason": "SchedulingGated", "message": "Scheduling is blocked due to non-empty scheduling gates"}]})";
constexpr const char* no_image = R"({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}],
    "containerStatuses": [{"name": "runner", "state": {"waiting": {"reason": "ImagePullBackOff",
        "message": "Back-off pulling image \"mine:2\": not found"}}}]})";

TEST(Scheduled, SaysWhatTheSchedulerSays) {
    World world = two_made();
    EXPECT_EQ(condition(world, "Scheduled"), nullptr) << "nobody has said anything yet";
    set_status(world, 0, placed);
    set_status(world, 1, no_room);
    world.step();
    EXPECT_FALSE(condition(world, "Scheduled")->status);
    EXPECT_EQ(condition(world, "Scheduled")->reason, "Unschedulable");
    EXPECT_EQ(condition(world, "Scheduled")->message,
              "Pod demo-1-0: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu.");
    EXPECT_EQ(condition(world, "Running")->message,
              "Pod demo-1-0: Unschedulable: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu.");
    set_status(world, 1, placed);
    world.step();
    EXPECT_TRUE(condition(world, "Scheduled")->status);
}

TEST(Scheduled, CountsThePodsWithoutAMachine) {
    World world = two_made();
    set_status(world, 0, gated);
    set_status(world, 1, gated);
    world.step();
    EXPECT_EQ(condition(world, "Scheduled")->reason, "SchedulingGated");
    EXPECT_EQ(condition(world, "Scheduled")->message,
              "2 Pods have no machine; Pod demo-0-0: Scheduling is blocked due to non-empty scheduling gates");
}

TEST(Scheduled, IsSaidWithRunningWhenThePodsStartAtOnce) {
    World world = two_made();
    set_status(world, 0, placed);
    set_status(world, 1, placed);
    const EvalJobStatus before = world.observed.job.status;
    const Plan plan = world.step();
    EXPECT_EQ(plan.status, before) << "no write of its own";
    EXPECT_EQ(plan.look_again, std::chrono::seconds{5});
    world.run_pods();
    world.step();
    EXPECT_TRUE(condition(world, "Scheduled")->status);
    EXPECT_TRUE(condition(world, "Running")->status);
}

TEST(Scheduled, IsSaidByItselfWhenImagesTakeTheirTime) {
    World world = two_made();
    set_status(world, 0, placed);
    set_status(world, 1, placed);
    world.pass(5);
    world.step();
    EXPECT_TRUE(condition(world, "Scheduled")->status);
    EXPECT_FALSE(condition(world, "Running")->status);
}

TEST(StartupDeadline, CarriesTheSchedulersWords) {
    World world = two_made();
    set_status(world, 1, no_room);
    world.step();
    world.pass(60);
    world.step();
    EXPECT_EQ(condition(world, "Failed")->reason, "StartupDeadlineExceeded");
    EXPECT_THAT(condition(world, "Failed")->message, HasSubstr("Pod demo-1-0: Unschedulable: 0/3 nodes"));
    EXPECT_FALSE(condition(world, "Scheduled")->status);
}

TEST(StartupDeadline, CarriesTheKubeletsWords) {
    World world = two_made();
    set_status(world, 0, placed);
    set_status(world, 1, no_image);
    world.step();
    const std::string words =
        "Pod demo-1-0: container runner: ImagePullBackOff: Back-off pulling image \"mine:2\": not found";
    EXPECT_EQ(condition(world, "Running")->message, words);
    world.pass(60);
    world.step();
    EXPECT_THAT(condition(world, "Failed")->message, HasSubstr(words));
}

TEST(StartupDeadline, OfTheMergeCarriesTheKubeletsWords) {
    World world = two_made();
    world.run_pods();
    world.step();
    world.exit_all(0);
    world.step();
    PodView pod = PodBuilder(world.observed.job, 0, 0).owner("Job", world.observed.merge_job->child.uid).build();
    pod.name = "demo-merge-x";
    pod.merge = true;
    world.observed.pods.push_back(pod);
    set_status(world, world.observed.pods.size() - 1, no_image);
    world.step();
    EXPECT_THAT(condition(world, "Merged")->message, HasSubstr("Pod demo-merge-x: container runner: ImagePullBackOff"));
    world.pass(60);
    world.step();
    EXPECT_EQ(condition(world, "Failed")->reason, "StartupDeadlineExceeded");
    EXPECT_THAT(condition(world, "Failed")->message, HasSubstr("the merge has not started: Pod demo-merge-x"));
}

TEST(Merge, ThatFoundSamplesMissingSaysHowManyAndWhich) {
    World world = two_made();
    world.run_pods();
    world.step();
    world.exit_all(0);
    world.step();
    world.fail_merge(6, unproven());
    world.step();
    for (const char* type : {"Failed", "Merged"}) {
        const std::string& message = condition(world, type)->message;
        EXPECT_THAT(message, HasSubstr("1 of 100 samples is missing: s7")) << type;
        EXPECT_EQ(message.find("s7"), message.rfind("s7")) << "ids stand once: " << message;
    }
}

TEST(Servers, AreEndedWhenEveryRunnerIsDone) {
    World world = two_made();
    world.run_pods();
    world.step();
    world.exit_beside_server(0, 0);
    EXPECT_EQ(line(world.step()), " |  | Running 2/2") << "one node is done, another still runs";
    world.exit_beside_server(1, 0);
    EXPECT_EQ(line(world.step()), "-demo-0-0, -demo-1-0, Merge |  | Merging 2/2");
    world.finish_deletions();
    EXPECT_EQ(line(world.step()), " |  | Merging 2/2") << "the nodes stay done";
    world.finish_merge(proven());
    EXPECT_EQ(line(world.step()), " | Succeeded | Succeeded 2/2");
}

TEST(Servers, OfAnImageOfOnesOwnAreEndedToo) {
    World world(JobBuilder().custom_image().group().nodes(1).build());
    world.step();
    world.run_pods();
    world.step();
    world.exit_beside_server(0, 0);
    EXPECT_EQ(line(world.step()), "-demo-0-0, Merge |  | Merging 1/1");
    world.finish_deletions();
    EXPECT_EQ(line(world.step()), " |  | Merging 1/1") << "what is merged does not run again";
}

TEST(Servers, ThatAreNativeSidecarsTheKubeletEnds) {
    World world(JobBuilder().nodes(1).build());
    world.step();
    world.run_pods();
    world.step();
    world.exit_beside_server(0, 0);
    world.observed.pods[0].containers.back().init = true;
    EXPECT_EQ(line(world.step()), "Merge |  | Merging 1/1") << "its log stays to be read";
}

}  // namespace
}  // namespace evaljob::testing
