// What an EvalJob says about its own end, and whose it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/json_read.hpp"
#include "api/merge_report.hpp"
#include "operator/kube/views.hpp"
#include "tests/api_server/life.hpp"

namespace evaljob::test {
namespace {

using testing::HasSubstr;

class PolicyOnApiServer : public Life {
protected:
    static Json own_image(const std::string& name) {
        Json job = fashion_job(name, 2);
        job["spec"].erase("eval");
        job["spec"]["template"]["spec"]["containers"] = {
            {{"name", "runner"}, {"image", "mine"}, {"command", {"torchrun", "evaluate.py"}}}};
        return job;
    }

    static void start(const Json& job) {
        const std::string name = text_of(member(job, "metadata"), "name");
        must(kube::create(kube::evaljobs, ns, job));
        await_pods(name, 2);
        for (const Json& pod : pods_of(name)) run(pod);
        await_condition(name, "Running");
    }
};

TEST_F(PolicyOnApiServer, AnImageOfOnesOwnIsRestartedAsAGroupAndMerged) {
    start(own_image("group"));
    end(pod_named("group-1-0"), 1, "NCCL watchdog: rank 1 is gone");
    await("both nodes begin again", [] {
        const std::vector<Json> pods = pods_of("group");
        return std::ranges::count_if(pods, [](const Json& pod) { return kube::pod_view(pod).attempt == 1; }) == 2;
    });
    EXPECT_EQ(number_of(status_of("group"), "restarts"), 1);
    for (const char* name : {"group-0-1", "group-1-1"}) run(pod_named(name));
    for (const char* name : {"group-0-1", "group-1-1"}) end(pod_named(name), 0);
    MergeReport report;
    report.published = true;
    report.samples = 10;
    report.missing.reset();
    report.digest = "digest";
    report.path = "results/digest";
    merge("group", 0, encode_merge_report(report));
    await_condition("group", "Succeeded");
    EXPECT_EQ(text_of(condition("group", "Merged"), "reason"), "CompletenessUnknown");
}

TEST_F(PolicyOnApiServer, TheFirstFailingRanksLastLinesAreTold) {
    Json job = fashion_job("tells", 2);
    job["spec"]["restartPolicy"]["maxRestarts"] = 0;
    start(job);
    end(pod_named("tells-1-0"), 1, "rank 3: model.pt: no such file");
    await_condition("tells", "Failed");
    EXPECT_THAT(text_of(condition("tells", "Failed"), "message"), HasSubstr("rank 3: model.pt: no such file"));
}

TEST_F(PolicyOnApiServer, AMergeThatFoundSamplesMissingSaysWhichAndHowMany) {
    start(fashion_job("lacks", 2));
    for (const char* name : {"lacks-0-0", "lacks-1-0"}) end(pod_named(name), 0);
    MergeReport report;
    report.samples = 100;
    report.missing = 3;
    report.ids = {"fashion/17", "fashion/18", "fashion/99"};
    report.error = "3 of 100 samples are missing: fashion/17, fashion/18, fashion/99";
    merge("lacks", 13, encode_merge_report(report));
    await_condition("lacks", "Failed");
    EXPECT_EQ(text_of(condition("lacks", "Failed"), "reason"), "ProofFailed");
    const std::string message = text_of(condition("lacks", "Failed"), "message");
    EXPECT_THAT(message, HasSubstr("3 of 100 samples are missing"));
    EXPECT_THAT(message, HasSubstr("fashion/17, fashion/18, fashion/99"));
    EXPECT_EQ(number_of(member(status_of("lacks"), "results"), "missing"), 3);
    EXPECT_EQ(text_of(member(status_of("lacks"), "summary"), "score"), "");
}

TEST_F(PolicyOnApiServer, AnotherControllersJobIsLeftAlone) {
    Json job = fashion_job("theirs", 2);
    job["spec"]["managedBy"] = "kueue.x-k8s.io/multikueue";
    must(kube::create(kube::evaljobs, ns, job));
    // What comes later is worked on, so this one was looked at.
    must(kube::create(kube::evaljobs, ns, fashion_job("ours", 2)));
    await_pods("ours", 2);
    EXPECT_TRUE(pods_of("theirs").empty());
    EXPECT_TRUE(status_of("theirs").is_null());
}

TEST_F(PolicyOnApiServer, TheEndHasATimeToLive) {
    Json job = fashion_job("short", 2);
    job["spec"]["ttlSecondsAfterFinished"] = 1;
    start(job);
    for (const char* name : {"short-0-0", "short-1-0"}) end(pod_named(name), 0);
    merge("short");
    await("the EvalJob is gone", [] {
        const auto job = ControlPlane::shared().send(kube::get(kube::evaljobs, ns, "short"));
        return !job && job.error().reason == "NotFound";
    });
    await_pods("short", 0);
}

TEST_F(PolicyOnApiServer, APodThatTheServerRefusesIsAConditionAndNoLoop) {
    Json job = fashion_job("invalid-pod", 2);
    job["spec"]["template"]["spec"]["containers"] = {
        {{"name", "runner"}, {"resources", {{"requests", {{"cpu", "2"}}}, {"limits", {{"cpu", "1"}}}}}}};
    must(kube::create(kube::evaljobs, ns, job));
    await_condition("invalid-pod", "Failed");
    EXPECT_EQ(text_of(condition("invalid-pod", "Failed"), "reason"), "Invalid");
    EXPECT_THAT(text_of(condition("invalid-pod", "Failed"), "message"),
                HasSubstr("the API server refuses Pod invalid-pod-0-0"));
}

TEST_F(PolicyOnApiServer, APodThatIsNotLetInIsSaidAndTriedAgain) {
    Json job = fashion_job("not-let-in", 2);
    job["spec"]["template"]["spec"]["priorityClassName"] = "comes-later";
    must(kube::create(kube::evaljobs, ns, job));
    await("the reason is said", [] {
        return text_of(condition("not-let-in", "Running"), "message").find("no PriorityClass with name comes-later") !=
               std::string::npos;
    });
    EXPECT_EQ(text_of(condition("not-let-in", "Running"), "reason"), "NodesStarting");
    must(kube::create({"scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass"}, "",
                      {{"metadata", {{"name", "comes-later"}}}, {"value", 1}}));
    await_pods("not-let-in", 2);
}

TEST_F(PolicyOnApiServer, WhatAPodWaitsForIsSaidAndBounded) {
    Json job = fashion_job("waits", 2);
    job["spec"]["startupDeadlineSeconds"] = 2;
    must(kube::create(kube::evaljobs, ns, job));
    await_pods("waits", 2);
    wait_for_image(pod_named("waits-0-0"));
    await_condition("waits", "Failed");
    EXPECT_EQ(text_of(condition("waits", "Failed"), "reason"), "StartupDeadlineExceeded");
    EXPECT_THAT(text_of(condition("waits", "Failed"), "message"), HasSubstr("ErrImagePull"));
}

}  // namespace
}  // namespace evaljob::test
