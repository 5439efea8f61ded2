// Names that others hold, and children of an older job of the same name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builders.hpp"
#include "operator/plan/status.hpp"
#include "world.hpp"

namespace evaljob::testing {
namespace {

using ::testing::HasSubstr;

struct Row {
    std::string name;
    std::function<void(Observed&)> stands;
    std::string plan;
    std::string says;  // in the condition Failed or Running
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

auto pod(std::int32_t node, const std::string& owner_kind, const std::string& owner_uid, bool deleting = false) {
    return [=](Observed& observed) {
        PodBuilder builder(observed.job, node, 0);
        builder.owner(owner_kind, owner_uid).running();
        if (deleting) builder.deleting();
        observed.pods.push_back(builder.build());
    };
}

ChildView child(const std::string& name, const std::string& owner_kind, const std::string& owner_uid,
                bool deleting = false) {
    return {name, "uid-" + name, owner_uid, deleting, owner_kind};
}

auto service(const std::string& owner_kind, const std::string& owner_uid, bool deleting = false) {
    return [=](Observed& observed) { observed.service = child("demo", owner_kind, owner_uid, deleting); };
}

auto merge(const std::string& owner_kind, const std::string& owner_uid) {
    return [=](Observed& observed) {
        observed.merge_job = MergeJobView{};
        observed.merge_job->child = child("demo-merge", owner_kind, owner_uid);
        observed.merge_job->complete = true;
    };
}

const std::vector<Row> rows = {
    {"PodOfNobody", pod(1, "", ""), " | Failed | Failed 0/2", "Pod demo-1-0 exists"},
    {"PodOfAReplicaSet", pod(1, "ReplicaSet", "rs"), " | Failed | Failed 0/2", "Pod demo-1-0 exists"},
    {"PodOfAnotherName", pod(7, "", ""), "Service, +demo-0-0, +demo-1-0 | NodesCreated | Starting 0/2", ""},
    {"PodOfAnOlderJob", pod(1, "EvalJob", "older"), " |  | Pending 0/2", "Pod demo-1-0 of an older EvalJob"},
    {"PodOfAnOlderJobWithMoreNodes", pod(9, "EvalJob", "older"), " |  | Pending 0/2", "Pod demo-9-0"},
    {"PodThatIsGoing", pod(1, "", "", true), " |  | Pending 0/2", "Pod demo-1-0"},
    {"ServiceOfNobody", service("", ""), " | Failed | Failed 0/2", "Service demo exists"},
    {"ServiceOfAnOlderJob", service("EvalJob", "older"), " |  | Pending 0/2", "Service demo"},
    {"ServiceThatIsGoing", service("", "", true), " |  | Pending 0/2", "Service demo"},
    {"MergeJobOfNobody", merge("", ""), " | Failed | Failed 0/2", "Job demo-merge exists"},
    {"MergeJobOfAnOlderJob", merge("EvalJob", "older"), " |  | Pending 0/2", "Job demo-merge"},
    {"RefusedByTheServer",
     [](Observed& observed) {
         observed.obstacles.push_back({"Pod", "demo-0-0", "Invalid", "the API server refuses Pod demo-0-0: bad image"});
     },
     " | Failed | Failed 0/2", "bad image"},
};

class Names : public ::testing::TestWithParam<Row> {};

TEST_P(Names, AreNeverAdopted) {
    World world(JobBuilder().nodes(2).build());
    GetParam().stands(world.observed);
    EXPECT_EQ(line(world.step()), GetParam().plan);
    const EvalJobStatus& status = world.observed.job.status;
    const Condition* failed = find_condition(status, "Failed");
    EXPECT_THAT((failed ? failed : find_condition(status, "Running"))->message, HasSubstr(GetParam().says));
    EXPECT_EQ(status.nodes.succeeded, 0) << "someone else's Pods do not count";
}

INSTANTIATE_TEST_SUITE_P(Plan, Names, ::testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

TEST(OlderJob, IsWaitedOutAndThenLifeBegins) {
    World world(JobBuilder().nodes(1).build());
    pod(0, "EvalJob", "older")(world.observed);
    service("EvalJob", "older")(world.observed);
    const Plan plan = world.step();
    EXPECT_EQ(line(plan), " |  | Pending 0/1");
    EXPECT_TRUE(plan.look_again.has_value());
    world.observed.pods.clear();
    world.observed.service.reset();
    EXPECT_EQ(line(world.step()), "Service, +demo-0-0 | NodesCreated | Starting 0/1");
}

TEST(NameTaken, InTheMiddleOfARun) {
    World world(JobBuilder().nodes(2).build());
    world.step();
    world.run_pods();
    world.step();
    PodView foreign = PodBuilder(world.observed.job, 1, 1).owner("", "").running().build();
    world.observed.pods.push_back(foreign);
    EXPECT_EQ(line(world.step()), " |  | Running 2/2") << "a name that is not needed is no obstacle";
    for (PodView& pod : world.observed.pods)
        if (pod.name == "demo-1-0") pod = PodBuilder(world.observed.job, 1, 0).exited(1).build();
    EXPECT_EQ(line(world.step()), " | Failed | Failed 1/2");
    EXPECT_EQ(find_condition(world.observed.job.status, "Failed")->reason, "NameTaken");
    EXPECT_EQ(line(world.step()), "-demo-0-0 |  | Failed 1/2") << "ours alone are ended";
}

}  // namespace
}  // namespace evaljob::testing
