// By which API the nodes' Pods are placed together, and what is made of it. The scheduling itself is other people's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/kube/discovery.hpp"
#include "operator/plan/gang.hpp"
#include "operator/plan/status.hpp"
#include "sequences.hpp"

namespace evaljob::testing {
namespace {

using ::testing::HasSubstr;
using Served = std::set<std::string>;

const std::string volcano = "scheduling.volcano.sh/v1beta1";
const std::string coscheduling = "scheduling.x-k8s.io/v1alpha1";
const std::string workload = "scheduling.k8s.io/v1alpha1";
const std::string pod_group = "scheduling.k8s.io/v1alpha2";
const std::string newest = "scheduling.k8s.io/v1beta1";
const std::string kueue = "kueue.x-k8s.io";

ClaimView shared_claim() {
    ClaimView claim;
    claim.found = true;
    claim.access_modes = {"ReadWriteMany"};
    return claim;
}

struct Choice {
    std::string name;
    Gang gang;
    std::string queue;
    Served served;
    std::string api;
    std::string missing;  // reason
};

void PrintTo(const Choice& row, std::ostream* out) { *out << row.name; }

const std::vector<Choice> choices = {
    {"AutoFindsNothing", Gang::Auto, "", {}, "None", ""},
    {"AutoPrefersWhatWasInstalled", Gang::Auto, "", {newest, coscheduling, volcano}, volcano, ""},
    {"AutoPrefersCoschedulingToNative", Gang::Auto, "", {newest, coscheduling}, coscheduling, ""},
    {"AutoTakesTheNewestNative", Gang::Auto, "", {workload, pod_group, newest}, newest, ""},
    {"AutoWithAQueueIsKueues", Gang::Auto, "q", {kueue, volcano}, "None", ""},
    {"AutoWithAQueueIsElseVolcanos", Gang::Auto, "q", {volcano}, volcano, ""},
    {"AutoWithAQueueAndNeither", Gang::Auto, "q", {coscheduling}, "None", "QueueUnavailable"},
    {"VolcanoIsThere", Gang::Volcano, "", {volcano}, volcano, ""},
    {"VolcanoHasItsOwnQueue", Gang::Volcano, "q", {volcano}, volcano, ""},
    {"VolcanoIsMissing", Gang::Volcano, "", {coscheduling}, "", "GangUnavailable"},
    {"CoschedulingIsThere", Gang::Coscheduling, "", {coscheduling}, coscheduling, ""},
    {"CoschedulingIsMissing", Gang::Coscheduling, "", {volcano}, "", "GangUnavailable"},
    {"CoschedulingInKueue", Gang::Coscheduling, "q", {coscheduling, kueue}, coscheduling, ""},
    {"NativeOf135", Gang::Native, "", {workload}, workload, ""},
    {"NativeOf136", Gang::Native, "", {pod_group}, pod_group, ""},
    {"NativeIsMissing", Gang::Native, "", {volcano, kueue}, "", "GangUnavailable"},
    {"KueueAlone", Gang::None, "q", {kueue}, "None", ""},
    {"KueueIsMissing", Gang::None, "q", {volcano}, "None", "QueueUnavailable"},
};

class GangChoices : public ::testing::TestWithParam<Choice> {};

TEST_P(GangChoices, AreMadeByWhatIsServed) {
    Scheduling scheduling{GetParam().gang, GetParam().queue, ""};
    const GangChoice choice = choose_gang(scheduling, GetParam().served);
    EXPECT_EQ(choice.api, GetParam().api);
    EXPECT_EQ(choice.missing ? choice.missing->reason : "", GetParam().missing);
}

INSTANTIATE_TEST_SUITE_P(Plan, GangChoices, ::testing::ValuesIn(choices),
                         [](const auto& row) { return row.param.name; });

TEST(Gang, IsMadeBeforeThePodsAndOnce) {
    World world(JobBuilder().nodes(2).claim("results").gang(Gang::Volcano).build());
    world.join_cluster(shared_claim());
    world.served = {volcano};
    EXPECT_EQ(line(world.step()), "PodGroup, Service, +demo-0-0, +demo-1-0 | NodesCreated | Starting 0/2");
    EXPECT_EQ(world.observed.job.status.gang, volcano);
    world.run_pods();
    world.step();
    world.exit(1, 137);
    EXPECT_EQ(line(world.step()), "+demo-1-1 | NodeRestarted | Restarting 1/2");
}

TEST(Gang, DoesNotChangeWhenMoreIsInstalledLater) {
    World world(JobBuilder().nodes(2).claim("results").gang(Gang::Auto).build());
    world.join_cluster(shared_claim());
    world.step();
    EXPECT_EQ(world.observed.job.status.gang, "None");
    world.served = {volcano};
    world.run_pods();
    world.exit(1, 137);
    const Plan plan = world.step();
    ASSERT_EQ(line(plan), "+demo-1-1 | NodeRestarted | Restarting 1/2");
    const auto& pod = std::get<CreatePod>(plan.actions.front()).object;
    EXPECT_FALSE(pod.at("spec").contains("schedulerName"));
}

TEST(Gang, WhoseApiIsMissingIsAConditionAndWaits) {
    World world(JobBuilder().nodes(2).claim("results").gang(Gang::Volcano).startup_deadline(100).build());
    world.join_cluster(shared_claim());
    const Plan plan = world.step();
    EXPECT_EQ(line(plan), " |  | Pending 0/2");
    const Condition& scheduled = *find_condition(plan.status, "Scheduled");
    EXPECT_FALSE(scheduled.status);
    EXPECT_EQ(scheduled.reason, "GangUnavailable");
    EXPECT_THAT(scheduled.message, HasSubstr("scheduling.gang is Volcano, and the cluster does not serve " + volcano));
    EXPECT_TRUE(plan.look_again.has_value());
    world.served = {volcano};
    EXPECT_EQ(line(world.step()), "PodGroup, Service, +demo-0-0, +demo-1-0 | NodesCreated | Starting 0/2");
    EXPECT_EQ(find_condition(world.observed.job.status, "Scheduled")->reason, "NodesPending");
}

TEST(Gang, WhoseApiStaysAwayEndsWithTheStartupDeadline) {
    World world(JobBuilder().nodes(2).claim("results").queue("q").startup_deadline(100).build());
    world.join_cluster(shared_claim());
    world.step();
    world.pass(100);
    EXPECT_EQ(line(world.step()), " | Failed | Failed 0/2");
    EXPECT_THAT(find_condition(world.observed.job.status, "Failed")->message, HasSubstr("does not serve " + kueue));
}

TEST(Gang, IsNobodysConcernInLocalMode) {
    World world(JobBuilder().nodes(2).gang(Gang::Volcano).queue("q").build());
    EXPECT_EQ(line(world.step()), made_two.plan);
}

TEST(Queue, OfAJobThatFailedGetsItsQuotaBack) {
    World world(JobBuilder().nodes(2).claim("results").queue("q").max_restarts(0).build());
    world.join_cluster(shared_claim());
    world.served = {kueue};
    world.step();
    world.run_pods();
    world.step();
    world.exit(1, 137);
    EXPECT_EQ(line(world.step()), " | Failed | Failed 1/2");
    EXPECT_EQ(line(world.step()), "-demo-0-0, -demo-1-0 |  | Failed 1/2") << "the ended Pod counts as well";
}

TEST(Queue, OfAJobThatSucceededKeepsItsPods) {
    World world(JobBuilder().nodes(2).claim("results").queue("q").build());
    world.join_cluster(shared_claim());
    world.served = {kueue};
    world.step();
    world.run_pods();
    world.step();
    world.exit_all(0);
    world.step();
    world.finish_merge(proven());
    world.step();
    EXPECT_EQ(line(world.step()), " |  | Succeeded 2/2");
}

TEST(Discovery, FindsVersionsAndTheirResources) {
    const Json groups = Json::parse(R"({"kind": "APIGroupList", "groups": [
        {"name": "batch", "versions": [{"groupVersion": "batch/v1", "version": "v1"}]},
        {"name": "kueue.x-k8s.io", "versions": [{"groupVersion": "kueue.x-k8s.io/v1beta1", "version": "v1beta1"}]}]})");
    EXPECT_EQ(kube::groups_and_versions(groups),
              (Served{"batch", "batch/v1", "kueue.x-k8s.io", "kueue.x-k8s.io/v1beta1"}));
    EXPECT_TRUE(kube::groups_and_versions(Json("nonsense")).empty());
    const Json resources = Json::parse(R"({"kind": "APIResourceList", "resources": [{"name": "podgroups"}]})");
    EXPECT_TRUE(kube::serves(resources, "podgroups"));
    EXPECT_FALSE(kube::serves(resources, "workloads"));
    EXPECT_FALSE(kube::serves(Json(), "podgroups"));
}

}  // namespace
}  // namespace evaljob::testing
