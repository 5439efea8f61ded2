#include "local/job_plan.hpp"

#include <gmock/gmock.h>

#include "local/job_controller.hpp"
#include "tests/unit/local/api_client.hpp"

namespace evaljob::local {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Json rule(const std::string& action, const std::string& op, std::vector<int> values,
          const std::string& container = "") {
    Json codes{{"operator", op}, {"values", std::move(values)}};
    if (!container.empty()) codes["containerName"] = container;
    return {{"action", action}, {"onExitCodes", codes}};
}

Json job_object(Json more = Json::object()) {
    Json spec{{"backoffLimit", 2},
              {"template",
               {{"metadata", {{"labels", {{"evaljob.dev/role", "merge"}}}}},
                {"spec", {{"restartPolicy", "Never"}, {"containers", {{{"name", "runner"}}}}}}}}};
    spec.merge_patch(more);
    return {{"metadata", {{"name", "j"}, {"namespace", "default"}, {"uid", "u"}}}, {"spec", spec}};
}

Json pod(const std::string& name, const std::string& phase, int code = 0, bool counted = false) {
    Json object{{"metadata", {{"name", name}, {"namespace", "default"}}}, {"status", {{"phase", phase}}}};
    if (!counted) object["metadata"]["finalizers"] = {job_finalizer};
    if (phase == "Failed" || phase == "Succeeded")
        object["status"]["containerStatuses"] = {
            {{"name", "runner"}, {"state", {{"terminated", {{"exitCode", code}}}}}}};
    return object;
}

Json deleting(Json object) {
    object["metadata"]["deletionTimestamp"] = "t";
    return object;
}

std::string condition(const JobPlan& plan) {
    if (!plan.status.contains("conditions")) return "";
    const auto& last = plan.status.at("conditions").back();
    return last.at("type").get<std::string>() + "/" + last.at("reason").get<std::string>();
}

std::string created(const JobPlan& plan) {
    return plan.create ? plan.create->at("metadata").at("name").get<std::string>() : "";
}

struct Row {
    const char* name;
    Json spec;
    Json status;
    std::vector<Json> pods;
    std::string created, condition;
    int failed, active;
    std::vector<std::string> released, removed;
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

class JobPlanTest : public testing::TestWithParam<Row> {};

TEST_P(JobPlanTest, Decides) {
    const auto& row = GetParam();
    auto job = job_object(row.spec);
    if (!row.status.empty()) job["status"] = row.status;
    const auto plan = plan_job(job, row.pods, "now");
    EXPECT_EQ(created(plan), row.created);
    EXPECT_EQ(condition(plan), row.condition);
    EXPECT_EQ(plan.status.value("failed", 0), row.failed);
    EXPECT_EQ(plan.status.value("active", -1), row.active);
    EXPECT_EQ(plan.release, row.released);
    EXPECT_EQ(plan.remove, row.removed);
}

const Json none = Json::object();
const Json no_retry_of_13{{"podFailurePolicy", {{"rules", {rule("FailJob", "In", {13, 12}, "runner")}}}}};
const Json complete{{"succeeded", 1}, {"conditions", {{{"type", "Complete"}, {"status", "True"}, {"reason", "Old"}}}}};

INSTANTIATE_TEST_SUITE_P(
    Rows, JobPlanTest,
    testing::Values(
        Row{"First", none, none, {}, "j-00000", "", 0, 1, {}, {}},
        Row{"Waits", none, none, {pod("j-00000", "Running")}, "", "", 0, 1, {}, {}},
        Row{"Succeeds",
            none,
            none,
            {pod("j-00000", "Succeeded")},
            "",
            "Complete/CompletionsReached",
            0,
            0,
            {"j-00000"},
            {}},
        Row{"Retries", none, none, {pod("j-00000", "Failed", 1)}, "j-00001", "", 1, 1, {"j-00000"}, {}},
        Row{"CountsOnce", none, {{"failed", 1}}, {pod("j-00000", "Failed", 1, true)}, "j-00001", "", 1, 1, {}, {}},
        Row{"CountsVanishedPods", none, {{"failed", 2}}, {}, "j-00002", "", 2, 1, {}, {}},
        Row{"GivesUp",
            none,
            {{"failed", 2}},
            {pod("j-00000", "Failed", 1, true), pod("j-00001", "Failed", 1, true), pod("j-00002", "Failed", 1)},
            "",
            "Failed/BackoffLimitExceeded",
            3,
            0,
            {"j-00002"},
            {}},
        Row{"NoRetryAtZero",
            {{"backoffLimit", 0}},
            none,
            {pod("j-00000", "Failed", 1)},
            "",
            "Failed/BackoffLimitExceeded",
            1,
            0,
            {"j-00000"},
            {}},
        Row{"FailJobOnCode",
            no_retry_of_13,
            none,
            {pod("j-00000", "Failed", 13)},
            "",
            "Failed/PodFailurePolicy",
            1,
            0,
            {"j-00000"},
            {}},
        Row{"RetriesOtherCodes",
            no_retry_of_13,
            none,
            {pod("j-00000", "Failed", 137)},
            "j-00001",
            "",
            1,
            1,
            {"j-00000"},
            {}},
        Row{"NotIn",
            {{"podFailurePolicy", {{"rules", {rule("FailJob", "NotIn", {1})}}}}},
            none,
            {pod("j-00000", "Failed", 2)},
            "",
            "Failed/PodFailurePolicy",
            1,
            0,
            {"j-00000"},
            {}},
        Row{"OtherContainer",
            {{"podFailurePolicy", {{"rules", {rule("FailJob", "In", {13}, "other")}}}}},
            none,
            {pod("j-00000", "Failed", 13)},
            "j-00001",
            "",
            1,
            1,
            {"j-00000"},
            {}},
        Row{"Ignores",
            {{"backoffLimit", 0}, {"podFailurePolicy", {{"rules", {rule("Ignore", "In", {143})}}}}},
            none,
            {pod("j-00000", "Failed", 143)},
            "j-00001",
            "",
            0,
            1,
            {"j-00000"},
            {}},
        Row{"FirstRuleWins",
            {{"podFailurePolicy", {{"rules", {rule("Count", "In", {13}), rule("FailJob", "In", {13})}}}}},
            none,
            {pod("j-00000", "Failed", 13)},
            "j-00001",
            "",
            1,
            1,
            {"j-00000"},
            {}},
        Row{"WaitsForADeletedPod",
            {{"podReplacementPolicy", "Failed"}},
            none,
            {deleting(pod("j-00000", "Running"))},
            "",
            "",
            0,
            0,
            {},
            {}},
        Row{"OrNot",
            {{"podReplacementPolicy", "TerminatingOrFailed"}},
            none,
            {deleting(pod("j-00000", "Running"))},
            "j-00001",
            "",
            0,
            1,
            {},
            {}},
        Row{"FinishedStays", none, complete, {pod("j-00000", "Succeeded", 0, true)}, "", "Complete/Old", 0, 0, {}, {}},
        Row{"FinishedEndsTheRest",
            none,
            complete,
            {pod("j-00001", "Running")},
            "",
            "Complete/Old",
            0,
            1,
            {},
            {"j-00001"}}),
    [](const auto& row) { return row.param.name; });

TEST(JobPlan, ThePodIsTheTemplateAndBelongsToTheJob) {
    const auto plan = plan_job(job_object(), {}, "now");
    ASSERT_TRUE(plan.create);
    const auto& meta = plan.create->at("metadata");
    EXPECT_EQ(meta.at("labels").at("batch.kubernetes.io/job-name"), "j");
    EXPECT_EQ(meta.at("labels").at("evaljob.dev/role"), "merge");
    EXPECT_EQ(meta.at("ownerReferences")[0].at("uid"), "u");
    EXPECT_EQ(meta.at("ownerReferences")[0].at("controller"), true);
    EXPECT_EQ(plan.create->at("spec").at("containers")[0].at("name"), "runner");
    EXPECT_EQ(plan.status.at("startTime"), "now");
}

TEST(JobPlan, TheConditionSaysWhichRuleEndedTheJob) {
    const auto plan = plan_job(job_object(no_retry_of_13), {pod("j-00000", "Failed", 13)}, "now");
    EXPECT_EQ(plan.status.at("conditions")[0].at("message"),
              "Container runner for pod default/j-00000 failed with exit code 13 matching FailJob rule at index 0");
}

struct RefusedJob {
    const char* name;
    Json spec;
    const char* message;
};
class RefusedJobTest : public testing::TestWithParam<RefusedJob> {};
TEST_P(RefusedJobTest, NamesTheField) {
    const auto result = admit_job(job_object(GetParam().spec), nullptr);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr(GetParam().message));
}
INSTANTIATE_TEST_SUITE_P(
    Rows, RefusedJobTest,
    testing::Values(RefusedJob{"Suspend", {{"suspend", true}}, "spec.suspend: not supported yet"},
                    RefusedJob{"Parallelism", {{"parallelism", 2}}, "spec.parallelism: not supported yet"},
                    RefusedJob{"BackoffLimit", {{"backoffLimit", -1}}, "spec.backoffLimit: must be 0 or more, is -1"},
                    RefusedJob{"OnFailure",
                               {{"template", {{"spec", {{"restartPolicy", "OnFailure"}}}}}},
                               "spec.template.spec.restartPolicy: not supported yet"},
                    RefusedJob{"Action",
                               {{"podFailurePolicy", {{"rules", {rule("FailIndex", "In", {1})}}}}},
                               "rules[0].action: must be"},
                    RefusedJob{"Operator",
                               {{"podFailurePolicy", {{"rules", {rule("Count", "Is", {1})}}}}},
                               "onExitCodes.operator: must be"}),
    [](const auto& row) { return row.param.name; });

// ---- the controller against the API

class JobControllerTest : public testing::Test {
protected:
    JobControllerTest() {
        auto job = job_object();
        job["metadata"].erase("uid");
        EXPECT_EQ(client.post(jobs_path, job).status, 201);
        controller.step();
    }
    void end_pod(const std::string& name, const std::string& phase, int code) {
        client.patch(pods_path + "/" + name + "/status", {{"status", pod(name, phase, code).at("status")}});
        controller.step();
    }
    Json status() { return client.get(jobs_path + "/j").body.at("status"); }

    MemoryApi api{MemoryApiOptions{}};
    ApiClient client{api};
    JobController controller{api, [] { return std::int64_t{0}; }};
};

TEST_F(JobControllerTest, GoesThroughFailureToSuccess) {
    EXPECT_EQ(status().at("active"), 1);
    end_pod("j-00000", "Failed", 1);
    EXPECT_EQ(status().at("failed"), 1);
    end_pod("j-00001", "Succeeded", 0);
    EXPECT_EQ(status().at("succeeded"), 1);
    EXPECT_EQ(status().at("active"), 0);
    EXPECT_EQ(status().at("conditions")[0].at("type"), "Complete");
    EXPECT_EQ(client.get(pods_path).body.at("items").size(), 2u) << "ended Pods stay, so that their logs can be read";
}

TEST_F(JobControllerTest, APodThatIsRemovedIsStillCounted) {
    client.remove(pods_path + "/j-00000", {{"gracePeriodSeconds", 0}});
    EXPECT_EQ(client.get(pods_path + "/j-00000").status, 200) << "held until it is counted";
    end_pod("j-00000", "Failed", 137);
    EXPECT_EQ(client.get(pods_path + "/j-00000").status, 404);
    EXPECT_EQ(status().at("failed"), 1);
    EXPECT_EQ(client.get(pods_path + "/j-00001").status, 200);
}

TEST_F(JobControllerTest, NothingHoldsThePodsOfADeletedJob) {
    client.remove(jobs_path + "/j");
    client.remove(pods_path + "/j-00000", {{"gracePeriodSeconds", 0}});
    controller.step();
    EXPECT_EQ(client.get(pods_path).body.at("items").size(), 0u);
}

TEST_F(JobControllerTest, UnsupportedJobsAreRefusedByTheApi) {
    auto job = job_object({{"suspend", true}});
    job["metadata"] = {{"name", "k"}};
    EXPECT_EQ(client.post(jobs_path, job).status, 422);
}

}  // namespace
}  // namespace evaljob::local
