// The operator's controller, the API server in memory and the Job controller together; Pods live as the test says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/merge_report.hpp"
#include "api/progress_report.hpp"
#include "local/job_controller.hpp"
#include "local/memory_api.hpp"
#include "operator/controller.hpp"
#include "tests/fashion_job.hpp"

namespace evaljob::local {
namespace {

const char* const evaljob_text = R"({
  "apiVersion": "evaljob.dev/v1alpha1", "kind": "EvalJob", "metadata": {"name": "demo", "namespace": "default"},
  "spec": {"numNodes": 2, "numProcPerNode": 2, "eval": {
    "model": {"format": "TorchScript", "path": "model.pt"},
    "datasets": [{"name": "fashion", "format": "IDX", "path": "images.gz", "labelsPath": "labels.gz",
                  "task": {"type": "Classification"}}]}}})";

class OperatorOnMemoryApi : public ::testing::Test {
protected:
    OperatorOnMemoryApi() : api({[this] { return now; }}), job_controller(api, [this] { return now; }) {
        ControllerOptions options;
        options.ns = "default";
        options.clock = [this] { return now; };
        options.settings.in_cluster = false;
        controller = std::make_unique<Controller>(api, options);
    }
    Json must(const kube::Request& request) {
        auto answer = api.send(request);
        EXPECT_TRUE(answer);
        auto body = kube::read_response(*answer);
        EXPECT_TRUE(body) << (body ? "" : body.error().message);
        return body ? *body : Json::object();
    }
    void settle() {
        for (int i = 0; i < 100; ++i) {
            job_controller.step();
            if (!controller->pump()) return;
        }
        ADD_FAILURE() << "no rest";
    }
    Json job() { return must(kube::get(kube::evaljobs, "default", "demo")); }
    std::string word() {
        return job().value("status", Json::object()).value("summary", Json::object()).value("status", "");
    }
    std::vector<std::string> pods() {
        std::vector<std::string> all;
        const Json list = must(kube::list(kube::pods, "default", ""));
        for (const Json& pod : list.at("items")) all.push_back(pod.at("metadata").at("name").get<std::string>());
        return all;
    }
    void set_pod(const std::string& name, const Json& status) {
        Json pod = must(kube::get(kube::pods, "default", name));
        must(kube::patch_status(kube::pods, "default", name, pod["metadata"]["resourceVersion"].get<std::string>(),
                                status));
    }
    void run(const std::string& name) {
        set_pod(
            name,
            {{"phase", "Running"},
             {"conditions", Json::array({{{"type", "Ready"}, {"status", "True"}}})},
             {"containerStatuses",
              Json::array({{{"name", "runner"}, {"state", {{"running", {{"startedAt", "2027-01-15T08:00:00Z"}}}}}}})}});
    }
    void exit(const std::string& name, int code, const std::string& message = "") {
        const bool silent = code == 0 && message.empty();
        const Json terminated = {{"exitCode", code},
                                 {"message", silent ? encode_last_words(test::frozen_identity()) : message},
                                 {"finishedAt", "2027-01-15T08:00:00Z"}};
        set_pod(name,
                {{"phase", code == 0 ? "Succeeded" : "Failed"},
                 {"containerStatuses", Json::array({{{"name", "runner"}, {"state", {{"terminated", terminated}}}}})}});
    }
    std::string merge_pod() {
        for (const std::string& name : pods())
            if (name.starts_with("demo-merge")) return name;
        ADD_FAILURE() << "no merge Pod";
        return "";
    }

    UnixSeconds now = 1'800'000'000;
    MemoryApi api;
    JobController job_controller;
    std::unique_ptr<Controller> controller;
};

TEST_F(OperatorOnMemoryApi, WholeLifeWithADeath) {
    must(kube::create(kube::evaljobs, "default", Json::parse(evaljob_text)));
    settle();
    EXPECT_EQ(pods(), (std::vector<std::string>{"demo-0-0", "demo-1-0"}));
    run("demo-0-0");
    run("demo-1-0");
    settle();
    EXPECT_EQ(word(), "Running");
    exit("demo-1-0", 137);
    settle();
    EXPECT_EQ(word(), "Restarting");
    run("demo-1-1");
    settle();
    api.end_watches();
    now += 5;
    exit("demo-0-0", 0);
    exit("demo-1-1", 0);
    settle();
    EXPECT_EQ(word(), "Merging");
    MergeReport report;
    report.published = true;
    report.identity = test::frozen_identity();
    report.samples = 100;
    report.metrics = {{"fashion", "accuracy", "", "0.9134", "0.0028", 100}};
    exit(merge_pod(), 0, encode_merge_report(report));
    settle();
    EXPECT_EQ(word(), "Succeeded") << job().dump(2);
    EXPECT_EQ(job().at("status").at("restarts"), 1);
    std::vector<std::string> reasons;
    const Json events = must(kube::list(kube::events, "default", ""));
    for (const Json& event : events.at("items")) reasons.push_back(event.at("reason").get<std::string>());
    EXPECT_THAT(reasons, ::testing::UnorderedElementsAre("NodesCreated", "NodeRestarted", "Succeeded"));
}

TEST_F(OperatorOnMemoryApi, WhatIsZeroIsThereToBeShown) {
    must(kube::create(kube::evaljobs, "default", Json::parse(evaljob_text)));
    settle();
    const Json status = job().at("status");
    EXPECT_EQ(status.value("restarts", -1), 0) << status.dump(2);
    EXPECT_EQ(status.at("nodes").value("ready", -1), 0) << status.dump(2);
    EXPECT_EQ(status.at("nodes").value("failed", -1), 0) << status.dump(2);
}

TEST_F(OperatorOnMemoryApi, ProofThatFails) {
    must(kube::create(kube::evaljobs, "default", Json::parse(evaljob_text)));
    settle();
    exit("demo-0-0", 0);
    exit("demo-1-0", 0);
    settle();
    MergeReport report;
    report.samples = 100;
    report.missing = 1;
    report.error = "1 of 100 samples is missing";
    exit(merge_pod(), 13, encode_merge_report(report));
    settle();
    EXPECT_EQ(word(), "Failed");
    EXPECT_NE(job().dump().find("ProofFailed"), std::string::npos) << job().dump(2);
}

TEST_F(OperatorOnMemoryApi, DeletedPodAndDeletedJob) {
    must(kube::create(kube::evaljobs, "default", Json::parse(evaljob_text)));
    settle();
    run("demo-0-0");
    run("demo-1-0");
    settle();
    Json pod = must(kube::get(kube::pods, "default", "demo-1-0"));
    must(kube::remove(kube::pods, "default", "demo-1-0", pod["metadata"]["uid"].get<std::string>(), 0));
    settle();
    EXPECT_EQ(pods(), (std::vector<std::string>{"demo-0-0", "demo-1-1"}));
    Json doomed = job();
    must(kube::remove(kube::evaljobs, "default", "demo", doomed["metadata"]["uid"].get<std::string>(), -1));
    settle();
    must(kube::create(kube::evaljobs, "default", Json::parse(evaljob_text)));
    settle();
    for (const std::string& name : pods()) {
        auto left = api.send(kube::remove(kube::pods, "default", name, "", 0));
        EXPECT_TRUE(left);
    }
    now += 5;
    settle();
    EXPECT_EQ(word(), "Starting") << job().dump(2);
}

}  // namespace
}  // namespace evaljob::local
