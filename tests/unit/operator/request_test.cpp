// Requests as they go out, answers as they are read, and objects as the plan sees them.
#include <gtest/gtest.h>

#include "operator/kube/request.hpp"
#include "operator/kube/store.hpp"
#include "operator/kube/views.hpp"
#include "operator/plan/time.hpp"

namespace evaljob::kube {
namespace {

TEST(Request, Paths) {
    EXPECT_EQ(collection_path(pods, ""), "/api/v1/pods");
    EXPECT_EQ(collection_path(pods, "default"), "/api/v1/namespaces/default/pods");
    EXPECT_EQ(object_path(evaljobs, "a", "b"), "/apis/evaljob.dev/v1alpha1/namespaces/a/evaljobs/b");
}

TEST(Request, RemoveIsOfOneUid) {
    const Request request = remove(pods, "default", "x", "u1", 5);
    EXPECT_EQ(request.verb, Verb::Delete);
    const Json body = Json::parse(request.body);
    EXPECT_EQ(body.at("preconditions").at("uid"), "u1");
    EXPECT_EQ(body.at("gracePeriodSeconds"), 5);
    EXPECT_FALSE(Json::parse(remove(pods, "default", "x", "u1", -1).body).contains("gracePeriodSeconds"));
}

TEST(Request, StatusPatchHoldsTheVersion) {
    const Request request = patch_status(evaljobs, "default", "x", "17", {{"restarts", 1}});
    EXPECT_EQ(request.verb, Verb::Patch);
    EXPECT_EQ(request.content_type, "application/merge-patch+json");
    EXPECT_TRUE(request.path.ends_with("/evaljobs/x/status"));
    EXPECT_EQ(Json::parse(request.body),
              Json::parse(R"({"metadata":{"resourceVersion":"17"},"status":{"restarts":1}})"));
}

TEST(Request, BytesThatAreNoTextDoNotThrow) { EXPECT_NO_THROW(create(pods, "default", {{"a", "\xff\xfe"}})); }

struct Row {
    std::string name;
    Response response;
    std::string reason;  // "" is success
    bool retry = false;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

const std::vector<Row> rows = {
    {"Ok", {200, R"({"kind":"Pod"})"}, ""},
    {"Created", {201, "{}"}, ""},
    {"OkButNoJson", {200, "<html>"}, "BadResponse", true},
    {"OkButCut", {200, R"({"kind":)"}, "BadResponse", true},
    {"NotFound", {404, R"({"kind":"Status","reason":"NotFound","message":"no pod x","code":404})"}, "NotFound"},
    {"AlreadyExists", {409, R"({"kind":"Status","reason":"AlreadyExists","code":409})"}, "AlreadyExists"},
    {"Conflict", {409, R"({"kind":"Status","reason":"Conflict","code":409})"}, "Conflict", true},
    {"Gone", {410, R"({"kind":"Status","reason":"Gone","code":410})"}, "Expired"},
    {"Expired", {410, ""}, "Expired"},
    {"Invalid", {422, R"({"kind":"Status","reason":"Invalid","message":"spec: bad"})"}, "Invalid"},
    {"TooMany", {429, "slow down"}, "TooManyRequests", true},
    {"ServerError", {500, R"({"reason":5})"}, "InternalError", true},
    {"Unavailable", {503, ""}, "ServiceUnavailable", true},
    {"Forbidden", {403, R"({"reason":"Forbidden"})"}, "Forbidden"},
    {"Teapot", {418, ""}, "UnexpectedStatus"},
};

class Responses : public ::testing::TestWithParam<Row> {};

TEST_P(Responses, AreRead) {
    const auto result = read_response(GetParam().response);
    if (GetParam().reason.empty()) {
        EXPECT_TRUE(result);
        return;
    }
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().reason, GetParam().reason);
    EXPECT_EQ(result.error().retry, GetParam().retry);
    EXPECT_FALSE(result.error().message.empty());
}

INSTANTIATE_TEST_SUITE_P(Request, Responses, ::testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

TEST(Response, LongMessagesAreCut) {
    EXPECT_LE(read_response({500, std::string(1'000'000, 'x')}).error().message.size(), 4096U);
}

TEST(Time, ThereAndBack) {
    EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00Z");
    EXPECT_EQ(rfc3339(1'800'000'000), "2027-01-15T08:00:00Z");
    EXPECT_EQ(from_rfc3339("2027-01-15T08:00:00Z"), 1'800'000'000);
    EXPECT_EQ(from_rfc3339("2027-01-15T08:00:00.123456Z"), 1'800'000'000);
    EXPECT_EQ(from_rfc3339("2024-02-29T23:59:59Z"), 1'709'251'199);
    for (const char* none : {"", "yesterday", "2027-13-15T08:00:00Z", "2027-02-30T08:00:00Z", "2027-01-15 08:00:00Z"})
        EXPECT_EQ(from_rfc3339(none), 0) << none;
}

TEST(Views, Pod) {
    const PodView view = pod_view(Json::parse(R"({
      "metadata": {"name": "demo-1-2", "namespace": "default", "uid": "u", "deletionTimestamp": "2027-01-15T08:00:00Z",
        "labels": {"evaljob.dev/job": "demo", "evaljob.dev/role": "node", "evaljob.dev/node-rank": "1", "evaljob.dev/attempt": "2"},
        "ownerReferences": [{"kind": "Other", "uid": "o"}, {"kind": "EvalJob", "uid": "j", "controller": true}]},
      "status": {"phase": "Running", "podIP": "10.0.0.1",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [
          {"name": "runner", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "message": "out", "finishedAt": "2027-01-15T08:00:00Z"}}},
          {"name": "server", "state": {"running": {"startedAt": "2027-01-15T08:00:00Z"}}}],
        "initContainerStatuses": [{"name": "fetch", "state": {"waiting": {"reason": "ErrImagePull"}}}]}})"));
    EXPECT_EQ(view.owner_uid, "j");
    EXPECT_EQ(view.owner_kind, "EvalJob");
    EXPECT_EQ(view.node, 1);
    EXPECT_EQ(view.attempt, 2);
    EXPECT_TRUE(view.deleting);
    EXPECT_TRUE(view.ready);
    ASSERT_EQ(view.containers.size(), 3U);
    EXPECT_EQ(view.containers[0].exit_code, 137);
    EXPECT_EQ(view.containers[0].finished_at, 1'800'000'000);
    EXPECT_TRUE(view.containers[1].running);
    EXPECT_EQ(view.containers[2].reason, "ErrImagePull");
}

TEST(Views, UnschedulablePodSaysWhy) {
    const PodView view = pod_view(Json::parse(R"({"status": {"phase": "Pending", "conditions": [
      {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]}})"));
    EXPECT_EQ(view.reason, "Unschedulable");
    EXPECT_EQ(view.message, "0/3 nodes");
}

TEST(Views, AnythingElseIsEmpty) {
    for (const char* text :
         {"null", "[]", "{}", R"({"metadata": 5, "status": []})",
          R"({"metadata": {"labels": {"evaljob.dev/node-rank": "-1", "evaljob.dev/attempt": "x"}}})",
          R"({"status": {"containerStatuses": [5, {"state": {"terminated": {"exitCode": "x"}}}]}})"}) {
        const PodView view = pod_view(Json::parse(text));
        EXPECT_EQ(view.node, -1) << text;
        EXPECT_EQ(view.attempt, 0) << text;
    }
}

TEST(Views, MergeJob) {
    const MergeJobView view = merge_job_view(Json::parse(R"({"metadata": {"name": "demo-merge", "uid": "m"}, "status": {
      "conditions": [{"type": "Failed", "status": "True", "message": "no", "lastTransitionTime": "2027-01-15T08:00:00Z"}]}})"));
    EXPECT_TRUE(view.failed);
    EXPECT_FALSE(view.complete);
    EXPECT_EQ(view.message, "no");
    EXPECT_EQ(view.finished_at, 1'800'000'000);
}

Json object(const std::string& name, const std::string& version, const std::string& job) {
    return {
        {"metadata", {{"name", name}, {"namespace", "n"}, {"resourceVersion", version}, {"labels", {{"job", job}}}}}};
}

Store<std::string> store() {
    return Store<std::string>([](const Json& object) -> std::optional<Store<std::string>::Kept> {
        const std::string job = object.at("metadata").at("labels").at("job").get<std::string>();
        if (job.empty()) return {};
        return Store<std::string>::Kept{job, object.at("metadata").at("resourceVersion").get<std::string>()};
    });
}

Json list_of(const std::string& version) { return {{"metadata", {{"resourceVersion", version}}}}; }

using Keys = std::set<std::string>;

TEST(Store, SaysWhichJobIsTouched) {
    auto pods = store();
    EXPECT_EQ(pods.upsert(object("a", "1", "j")), Keys{"j"});
    EXPECT_EQ(pods.upsert(object("a", "2", "k")), (Keys{"j", "k"})) << "both the old and the new job";
    EXPECT_TRUE(pods.of_job("j").empty());
    EXPECT_EQ(pods.of_job("k").size(), 1U);
    EXPECT_EQ(pods.upsert(object("a", "3", "")), Keys{"k"});
    EXPECT_EQ(pods.size(), 0U);
}

TEST(Store, WhatIsOlderIsDropped) {
    auto pods = store();
    pods.upsert(object("a", "10", "j"));
    EXPECT_TRUE(pods.upsert(object("a", "9", "j")).empty());
    EXPECT_TRUE(pods.erase(object("a", "9", "j")).empty());
    EXPECT_EQ(*pods.find("n/a"), "10");
    EXPECT_EQ(pods.erase(object("a", "11", "j")), Keys{"j"});
    EXPECT_EQ(pods.find("n/a"), nullptr);
}

TEST(Store, AListReplacesEverythingAtOnce) {
    auto pods = store();
    pods.upsert(object("a", "1", "j"));
    pods.start_list();
    pods.stage(object("b", "2", "k"));
    EXPECT_NE(pods.find("n/a"), nullptr);
    EXPECT_EQ(pods.find("n/b"), nullptr);
    EXPECT_EQ(pods.swap_list(list_of("5")), (Keys{"j", "k"}));
    EXPECT_EQ(pods.find("n/a"), nullptr);
    EXPECT_EQ(pods.of_job("k").size(), 1U);
}

// A real API server answers the deletion of a Pod without a node with the Pod, and the watch may tell of its end first:
// the answer brought it back for ever, and a resumed job waited for it.
TEST(Store, AnAnswerBehindTheEndBringsNothingBack) {
    auto pods = store();
    pods.upsert(object("a", "10", "j"));
    pods.erase(object("a", "12", "j"));
    EXPECT_TRUE(pods.upsert(object("a", "11", "j")).empty());
    EXPECT_EQ(pods.find("n/a"), nullptr);
    EXPECT_EQ(pods.upsert(object("a", "13", "j")), Keys{"j"}) << "made anew";
}

TEST(Store, AnAnswerBehindAListThatLacksItBringsNothingBack) {
    auto pods = store();
    pods.upsert(object("a", "10", "j"));
    pods.start_list();
    pods.swap_list(list_of("12"));
    EXPECT_TRUE(pods.upsert(object("a", "11", "j")).empty());
    EXPECT_EQ(pods.upsert(object("a", "13", "j")), Keys{"j"});
}

}  // namespace
}  // namespace evaljob::kube
