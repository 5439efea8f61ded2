// What a reconcile asks a cluster for before the first Pod, and how often.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_api.hpp"
#include "operator/reconciler.hpp"
#include "sequences.hpp"

namespace evaljob::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string claims = "/api/v1/namespaces/default/persistentvolumeclaims";
const std::string job_path = "/apis/evaljob.dev/v1alpha1/namespaces/default/evaljobs/demo";

class PreparationTest : public ::testing::Test {
protected:
    PreparationTest() : reconciler(api, Settings{}, [this] { return now; }) {
        api.instead = [this](const kube::Request& request) -> std::optional<kube::Response> {
            if (request.verb == kube::Verb::Get) reads.push_back(request.path);
            return {};
        };
    }

    /// One reconcile of a job that nothing is known of but what the API server has.
    Reconciled reconcile(const EvalJob& job) {
        if (!api.find(job_path))
            api.put(job_path, {{"metadata", {{"name", "demo"}, {"namespace", "default"}, {"uid", job.meta.uid}}}});
        Observed observed;
        observed.job = job;
        observed.job.meta.resource_version =
            api.find(job_path)->at("metadata").at("resourceVersion").get<std::string>();
        return reconciler.reconcile(observed);
    }
    Json condition(const std::string& type) {
        for (const Json& one : api.find(job_path)->at("status").at("conditions"))
            if (one.at("type") == type) return one;
        return {};
    }
    void put_claim(const std::string& name, const char* mode) {
        api.put(claims + "/" + name,
                {{"metadata", {{"name", name}, {"namespace", "default"}}}, {"spec", {{"accessModes", {mode}}}}});
    }
    void serve(const std::string& version, const std::string& plural) {
        const std::string group = version.substr(0, version.find('/'));
        if (!api.find("/apis")) api.put("/apis", {{"groups", Json::array()}});
        (*api.find("/apis"))["groups"].push_back(
            {{"name", group}, {"versions", Json::array({{{"groupVersion", version}}})}});
        api.put("/apis/" + version, {{"resources", Json::array({{{"name", plural}}})}});
    }

    UnixSeconds now = 1'800'000'000;
    FakeApi api;
    Reconciler reconciler;
    std::vector<std::string> reads;
};

TEST_F(PreparationTest, AClaimIsReadOnceAndNothingElse) {
    put_claim("results", "ReadWriteMany");
    EXPECT_FALSE(reconcile(JobBuilder().nodes(2).claim("results").build()).error);
    EXPECT_THAT(reads, ElementsAre(claims + "/results"));
    EXPECT_TRUE(api.find("/api/v1/namespaces/default/pods/demo-1-0"));
}

TEST_F(PreparationTest, AMissingClaimIsACondition) {
    const Reconciled reconciled = reconcile(JobBuilder().nodes(2).claim("results").build());
    EXPECT_FALSE(reconciled.error);
    EXPECT_TRUE(reconciled.look_again.has_value());
    EXPECT_EQ(condition("Running").at("reason"), "ClaimNotFound");
    EXPECT_EQ(api.writes.size(), 1U) << "the status alone";
}

TEST_F(PreparationTest, AClaimIsMadeBeforeThePods) {
    EXPECT_FALSE(reconcile(JobBuilder().claim_template("ReadWriteMany").build()).error);
    EXPECT_TRUE(api.find(claims + "/demo-claim"));
    EXPECT_EQ(api.writes.at(2), "POST " + claims) << "behind the run's Secret and the status";
}

TEST_F(PreparationTest, AClaimThatTheServerRefusesFailsTheJobWithItsWords) {
    api.instead = [](const kube::Request& request) -> std::optional<kube::Response> {
        if (request.verb != kube::Verb::Post || request.path != claims) return {};
        return kube::Response{422, R"({"kind": "Status", "reason": "Invalid", "message": "no such quantity"})"};
    };
    EXPECT_FALSE(reconcile(JobBuilder().claim_template("ReadWriteMany").build()).error);
    EXPECT_THAT(condition("Failed").at("message").get<std::string>(), HasSubstr("demo-claim: no such quantity"));
}

TEST_F(PreparationTest, AClaimThatIsMadeMeanwhileIsLookedAtAgain) {
    const EvalJob job = JobBuilder().claim_template("ReadWriteMany").build();
    api.instead = [&](const kube::Request& request) -> std::optional<kube::Response> {
        if (request.verb == kube::Verb::Post && request.path == claims && !api.find(claims + "/demo-claim"))
            put_claim("demo-claim", "ReadWriteMany");
        return {};
    };
    EXPECT_TRUE(reconcile(job).error);
    EXPECT_FALSE(api.find("/api/v1/namespaces/default/pods/demo-0-0"));
    EXPECT_FALSE(reconcile(job).error);
    EXPECT_EQ(condition("Failed").at("reason"), "NameTaken") << "nobody's label is on it";
}

TEST_F(PreparationTest, AJobWithoutAGangAsksForNoApis) {
    put_claim("results", "ReadWriteMany");
    reconcile(JobBuilder().claim("results").build());
    EXPECT_THAT(reads, ::testing::Not(Contains("/apis")));
}

TEST_F(PreparationTest, AGangIsMadeOfWhatIsServed) {
    put_claim("results", "ReadWriteMany");
    serve("scheduling.volcano.sh/v1beta1", "podgroups");
    EXPECT_FALSE(reconcile(JobBuilder().claim("results").gang(Gang::Auto).build()).error);
    EXPECT_TRUE(api.find("/apis/scheduling.volcano.sh/v1beta1/namespaces/default/podgroups/demo"));
    EXPECT_EQ(api.find(job_path)->at("status").at("gang"), "scheduling.volcano.sh/v1beta1");
}

TEST_F(PreparationTest, AVersionWithoutTheResourceIsNotServed) {
    put_claim("results", "ReadWriteMany");
    serve("scheduling.k8s.io/v1beta1", "priorityclasses");
    EXPECT_FALSE(reconcile(JobBuilder().claim("results").gang(Gang::Native).build()).error);
    EXPECT_EQ(condition("Scheduled").at("reason"), "GangUnavailable");
}

TEST_F(PreparationTest, WhatIsServedIsAskedOnceAMinute) {
    put_claim("results", "ReadWriteMany");
    api.put("/apis", {{"groups", Json::array()}});
    const EvalJob job = JobBuilder().claim("results").gang(Gang::Volcano).build();
    reconcile(job);
    now += 59;
    reads.clear();
    reconcile(job);
    EXPECT_THAT(reads, ::testing::Not(Contains("/apis")));
    serve("scheduling.volcano.sh/v1beta1", "podgroups");
    now += 1;
    reconcile(job);
    EXPECT_TRUE(api.find("/api/v1/namespaces/default/pods/demo-0-0"));
}

TEST_F(PreparationTest, AnApiThatIsGoneByThenFailsTheJob) {
    put_claim("results", "ReadWriteMany");
    serve("scheduling.volcano.sh/v1beta1", "podgroups");
    api.instead = [](const kube::Request& request) -> std::optional<kube::Response> {
        if (request.verb != kube::Verb::Post || request.path.find("/podgroups") == std::string::npos) return {};
        return kube::Response{404, "404 page not found"};
    };
    EXPECT_FALSE(reconcile(JobBuilder().claim("results").gang(Gang::Volcano).build()).error);
    EXPECT_EQ(condition("Failed").at("reason"), "GangUnavailable");
}

}  // namespace
}  // namespace evaljob::testing
