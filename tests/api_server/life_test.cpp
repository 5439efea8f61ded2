// An EvalJob's life on a real API server, with the real Job controller and garbage collection; the kubelet is ours.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <thread>

#include "api/json_read.hpp"
#include "api/merge_report.hpp"
#include "local/kubelet_requests.hpp"
#include "operator/carried_clock.hpp"
#include "operator/cluster/controller_threads.hpp"
#include "operator/kube/views.hpp"
#include "operator/plan/nodes.hpp"
#include "tests/api_server/control_plane.hpp"

namespace evaljob::test {
namespace {

constexpr const char* ns = "default";
constexpr std::chrono::seconds patience{120};

Json job(const std::string& name, int nodes) {
    return {{"apiVersion", "evaljob.dev/v1alpha1"},
            {"kind", "EvalJob"},
            {"metadata", {{"name", name}}},
            {"spec",
             {{"numNodes", nodes},
              {"storage", {{"claimName", "shared"}}},
              {"eval",
               {{"model", {{"format", "TorchScript"}, {"path", "model.pt"}}},
                {"datasets", Json::array({{{"name", "fashion"},
                                           {"format", "IDX"},
                                           {"path", "images.gz"},
                                           {"labelsPath", "labels.gz"},
                                           {"task", {{"type", "Classification"}}}}})}}}}}};
}

std::string report_of_merge() {
    MergeReport report;
    report.samples = 100;
    report.published = true;
    report.identity = "identity";
    report.digest = "digest";
    report.path = "results/digest";
    report.metrics = {{"fashion", "accuracy", "", "0.9134", "0.0028", 100}};
    return encode_merge_report(report);
}

class LifeOnApiServer : public testing::Test {
protected:
    void SetUp() override {
        if (const std::string missing = ControlPlane::missing(); !missing.empty())
            GTEST_SKIP() << missing << ": there is no control plane to test with";
        start_operator();
    }
    void TearDown() override { stop_operator(); }

    void start_operator() {
        transport_ = ControlPlane::shared().connect();
        ControllerOptions options;
        options.ns = ns;
        options.clock = carried_clock();
        options.ticks = [] {
            return std::chrono::duration_cast<kube::Milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
        };
        operator_ = std::make_unique<cluster::ControllerThreads>(*transport_, std::move(options), 2);
    }
    void stop_operator() {
        if (transport_) transport_->end_streams();
        operator_.reset();
        transport_.reset();
    }

    static Json must(const kube::Request& request) {
        auto answer = ControlPlane::shared().send(request);
        EXPECT_TRUE(answer.has_value()) << request.path << ": " << (answer ? "" : answer.error().message);
        return answer ? *answer : Json();
    }
    static std::vector<Json> pods_of(const std::string& name) {
        const Json list = must(kube::list(kube::pods, ns, "evaljob.dev/job=" + name));
        return {list.at("items").begin(), list.at("items").end()};
    }
    static Json get(const std::string& name) { return must(kube::get(kube::evaljobs, ns, name)); }

    /// Asks again until it holds: the server, its controllers and the operator work at their own pace.
    void await(const std::string& what, const std::function<bool()>& holds) {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (!holds()) {
            ASSERT_LT(std::chrono::steady_clock::now(), until) << "in vain: " << what;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }
    void await_condition(const std::string& name, const std::string& type) {
        await(name + " is " + type, [&] {
            const Json object = get(name);
            for (const Json& one : member(member(object, "status"), "conditions"))
                if (text_of(one, "type") == type && text_of(one, "status") == "True") return true;
            return false;
        });
    }
    void await_pods(const std::string& name, std::size_t count) {
        await(name + " has its Pods", [&] { return pods_of(name).size() == count; });
    }

    /// What a kubelet says of a Pod.
    static void set_status(const Json& pod, const std::string& phase, const Json& state) {
        must(local::status_patch(
            pod, {{"phase", phase},
                  {"conditions", Json::array({{{"type", "Ready"}, {"status", phase == "Running" ? "True" : "False"}}})},
                  {"containerStatuses", Json::array({{{"name", "runner"},
                                                      {"image", "image"},
                                                      {"imageID", "image"},
                                                      {"ready", phase == "Running"},
                                                      {"restartCount", 0},
                                                      {"state", state}}})}}));
    }
    static void run(const Json& pod) {
        set_status(pod, "Running", {{"running", {{"startedAt", "2026-01-01T00:00:00Z"}}}});
    }
    static void end(const Json& pod, int code, const std::string& message = "") {
        set_status(pod, code == 0 ? "Succeeded" : "Failed",
                   {{"terminated",
                     {{"exitCode", code},
                      {"reason", code == 0 ? "Completed" : "Error"},
                      {"message", message},
                      {"startedAt", "2026-01-01T00:00:00Z"},
                      {"finishedAt", "2026-01-01T00:00:01Z"}}}});
    }
    static Json pod_named(const std::string& name) { return must(kube::get(kube::pods, ns, name)); }

    /// The merge's Pod, which the real Job controller makes.
    void merge(const std::string& name) {
        Json pod;
        await(name + " has a merge Pod", [&] {
            for (const Json& one : pods_of(name))
                if (kube::pod_view(one).merge) pod = one;
            return !pod.is_null();
        });
        end(pod, 0, report_of_merge());
    }

private:
    std::unique_ptr<cluster::CpprestTransport> transport_;
    std::unique_ptr<cluster::ControllerThreads> operator_;
};

TEST_F(LifeOnApiServer, FromCreationToScore) {
    must(kube::create(kube::evaljobs, ns, job("whole", 3)));
    await_pods("whole", 3);
    for (const Json& pod : pods_of("whole")) run(pod);
    await_condition("whole", "Running");
    for (const Json& pod : pods_of("whole")) end(pod, 0);
    merge("whole");
    await_condition("whole", "Succeeded");
    const Json status = get("whole").at("status");
    EXPECT_EQ(status.at("summary").at("score"), "0.913") << status.dump(2);
    EXPECT_EQ(status.at("summary").at("status"), "Succeeded");
    EXPECT_EQ(status.at("results").at("samples"), 100);
    EXPECT_EQ(status.at("metrics").at(0).at("value"), "0.9134");
}

TEST_F(LifeOnApiServer, ADeadNodeIsReplacedAndCounted) {
    must(kube::create(kube::evaljobs, ns, job("dies", 2)));
    await_pods("dies", 2);
    for (const Json& pod : pods_of("dies")) run(pod);
    await_condition("dies", "Running");
    end(pod_named("dies-1-0"), 137, "out of memory");
    await_pods("dies", 3);
    EXPECT_EQ(number_of(member(get("dies"), "status"), "restarts"), 1);
    run(pod_named("dies-1-1"));
    for (const char* name : {"dies-0-0", "dies-1-1"}) end(pod_named(name), 0);
    merge("dies");
    await_condition("dies", "Succeeded");
}

TEST_F(LifeOnApiServer, AnotherOperatorGoesOnWhereOneEnded) {
    must(kube::create(kube::evaljobs, ns, job("goes-on", 2)));
    await_pods("goes-on", 2);
    stop_operator();
    for (const Json& pod : pods_of("goes-on")) run(pod);
    end(pod_named("goes-on-0-0"), 1);
    start_operator();
    await_pods("goes-on", 3);
    run(pod_named("goes-on-0-1"));
    stop_operator();
    for (const char* name : {"goes-on-0-1", "goes-on-1-0"}) end(pod_named(name), 0);
    start_operator();
    merge("goes-on");
    await_condition("goes-on", "Succeeded");
    EXPECT_EQ(number_of(member(get("goes-on"), "status"), "restarts"), 1);
}

TEST_F(LifeOnApiServer, SuspendTakesThePodsAndResumeMakesThemAnew) {
    must(kube::create(kube::evaljobs, ns, job("rests", 2)));
    await_pods("rests", 2);
    const auto suspend = [](bool on) {
        must({kube::Verb::Patch,
              kube::object_path(kube::evaljobs, ns, "rests"),
              {},
              "application/merge-patch+json",
              Json{{"spec", {{"suspend", on}}}}.dump()});
    };
    suspend(true);
    await_condition("rests", "Suspended");
    // Pods without a node go at once: nobody has to end them.
    await_pods("rests", 0);
    suspend(false);
    await_pods("rests", 2);
}

TEST_F(LifeOnApiServer, WhatItMadeGoesWithIt) {
    must(kube::create(kube::evaljobs, ns, job("goes", 2)));
    await_pods("goes", 2);
    must(kube::remove(kube::evaljobs, ns, "goes", "", -1));
    await_pods("goes", 0);
    await("its Service is gone", [&] {
        const auto service = ControlPlane::shared().send(kube::get(kube::services, ns, "goes"));
        return !service && service.error().reason == "NotFound";
    });
}

TEST_F(LifeOnApiServer, ImmutableFieldsAreRefused) {
    must(kube::create(kube::evaljobs, ns, job("fixed", 2)));
    const auto change = [](const Json& spec) {
        return ControlPlane::shared().send({kube::Verb::Patch,
                                            kube::object_path(kube::evaljobs, ns, "fixed"),
                                            {},
                                            "application/merge-patch+json",
                                            Json{{"spec", spec}}.dump()});
    };
    const auto refused = change({{"numProcPerNode", 4}});
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("numProcPerNode: is immutable"), std::string::npos)
        << refused.error().message;
    EXPECT_TRUE(change({{"numNodes", 3}}).has_value());
    await_pods("fixed", 3);
}

}  // namespace
}  // namespace evaljob::test
