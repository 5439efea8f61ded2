// The controller against an API server of a few lines.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "api/merge_report.hpp"
#include "api/progress_report.hpp"
#include "fake_api.hpp"
#include "operator/controller.hpp"
#include "tests/fashion_job.hpp"

namespace evaljob::testing {

inline const std::string pods = "/api/v1/namespaces/default/pods";
inline const std::string secrets = "/api/v1/namespaces/default/secrets";
inline const std::string job_path = "/apis/evaljob.dev/v1alpha1/namespaces/default/evaljobs/demo";
inline const std::string merge_path = "/apis/batch/v1/namespaces/default/jobs/demo-merge";

inline Json evaljob(int nodes = 2) {
    Json job = test::fashion_job("demo", nodes);
    job["metadata"].update({{"namespace", "default"}, {"uid", "11111111-0000"}, {"generation", 1}});
    return job;
}

class ControllerTest : public ::testing::Test {
protected:
    // As in local mode: one namespace.
    ControllerTest() : controller(make()) {}

    std::unique_ptr<Controller> make() {
        ControllerOptions options;
        options.ns = "default";
        options.clock = [this] { return now; };
        options.settings.in_cluster = false;
        options.progress = [this](const Observed&) { return progress; };
        return std::make_unique<Controller>(api, options);
    }
    void settle() {
        for (int i = 0; i < 50; ++i)
            if (!controller->pump()) return;
        ADD_FAILURE() << "the controller does not come to rest";
    }
    void set_pod(const std::string& name, const Json& status) {
        Json pod = api.objects.at(pods + "/" + name);
        pod["status"] = status;
        api.put(pods + "/" + name, pod);
    }
    void run(const std::string& name) {
        set_pod(name,
                {{"phase", "Running"},
                 {"conditions", Json::array({{{"type", "Ready"}, {"status", "True"}}})},
                 {"containerStatuses", Json::array({{{"name", "runner"}, {"state", {{"running", Json::object()}}}}})}});
    }
    void exit(const std::string& name, int code, const std::string& message = "") {
        const bool silent = code == 0 && message.empty();
        const Json terminated = {{"exitCode", code},
                                 {"message", silent ? encode_last_words(test::frozen_identity()) : message}};
        set_pod(name,
                {{"phase", code == 0 ? "Succeeded" : "Failed"},
                 {"containerStatuses", Json::array({{{"name", "runner"}, {"state", {{"terminated", terminated}}}}})}});
    }
    void finish_merge() {
        MergeReport report;
        report.published = true;
        report.identity = test::frozen_identity();
        report.samples = 100;
        report.metrics = {{"fashion", "accuracy", "", "0.9134", "0.0028", 100}};
        const Json job = api.objects.at(merge_path);
        Json pod = {{"metadata",
                     {{"name", "demo-merge-x"},
                      {"namespace", "default"},
                      {"labels", job.at("spec").at("template").at("metadata").at("labels")},
                      {"ownerReferences", Json::array({{{"kind", "Job"},
                                                        {"name", "demo-merge"},
                                                        {"uid", job.at("metadata").at("uid")},
                                                        {"controller", true}}})}}}};
        api.put(pods + "/demo-merge-x", pod);
        exit("demo-merge-x", 0, encode_merge_report(report));
        Json done = job;
        done["status"] = {{"conditions", Json::array({{{"type", "Complete"}, {"status", "True"}}})}};
        api.put(merge_path, done);
    }
    Json status() { return api.objects.at(job_path).value("status", Json::object()); }
    std::string word() { return status().value("summary", Json::object()).value("status", ""); }
    std::vector<std::string> events() {
        std::vector<std::string> reasons;
        for (const auto& [path, object] : api.objects)
            if (path.find("/events/") != std::string::npos) reasons.push_back(object.at("reason").get<std::string>());
        std::sort(reasons.begin(), reasons.end());
        return reasons;
    }
    Json condition(const std::string& type) {
        for (const Json& condition : status().value("conditions", Json::array()))
            if (condition.at("type") == type) return condition;
        return {};
    }
    int count(const std::string& write) {
        return static_cast<int>(std::count(api.writes.begin(), api.writes.end(), write));
    }

    FakeApi api;
    UnixSeconds now = 1'800'000'000;
    std::optional<ProgressReport> progress;
    std::unique_ptr<Controller> controller;
};

}  // namespace evaljob::testing
