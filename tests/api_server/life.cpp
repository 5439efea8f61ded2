#include "tests/api_server/life.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "api/json_read.hpp"
#include "api/merge_report.hpp"
#include "api/progress_report.hpp"
#include "local/kubelet_requests.hpp"
#include "operator/kube/views.hpp"

namespace evaljob::test {
namespace {

constexpr std::chrono::seconds patience{120};

void set_status(const Json& pod, const std::string& phase, const Json& state, const std::string& ip = "") {
    const bool running = phase == "Running";
    const Json container = {{"name", "runner"}, {"image", "image"},  {"imageID", "image"},
                            {"ready", running}, {"restartCount", 0}, {"state", state}};
    const Json ready = {{"type", "Ready"}, {"status", running ? "True" : "False"}};
    Json status = {
        {"phase", phase}, {"conditions", Json::array({ready})}, {"containerStatuses", Json::array({container})}};
    if (!ip.empty()) status.update({{"podIP", ip}, {"podIPs", Json::array({{{"ip", ip}}})}});
    // A Pod that is gone meanwhile is no matter to a kubelet.
    static_cast<void>(ControlPlane::shared().send(local::status_patch(pod, status)));
}

}  // namespace

std::string report_of_merge() {
    MergeReport report;
    report.samples = 100;
    report.published = true;
    report.identity = test::frozen_identity();
    report.digest = "digest";
    report.path = "results/digest";
    report.metrics = {{"fashion", "accuracy", "", "0.9134", "0.0028", 100}};
    return encode_merge_report(report);
}

void Life::SetUp() {
    OnControlPlane::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    start_operator();
}

kube::Milliseconds Life::ticks() {
    return std::chrono::duration_cast<kube::Milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
}

std::unique_ptr<cluster::ControllerThreads> Life::start(kube::Transport& transport, Clock clock) {
    ControllerOptions options;
    options.ns = ns;
    options.clock = std::move(clock);
    options.ticks = ticks;
    return std::make_unique<cluster::ControllerThreads>(transport, std::move(options), 2);
}

void Life::start_operator() {
    transport_ = ControlPlane::shared().connect();
    operator_ = start(*transport_);
}

void Life::stop_operator() {
    if (transport_) transport_->end_streams();
    operator_.reset();
    transport_.reset();
}

Json Life::must(const kube::Request& request) {
    auto answer = ControlPlane::shared().send(request);
    EXPECT_TRUE(answer.has_value()) << request.path << ": " << (answer ? "" : answer.error().message);
    return answer ? *answer : Json();
}

std::vector<Json> Life::pods_of(const std::string& name) {
    const Json list = must(kube::list(kube::pods, ns, "evaljob.dev/job=" + name));
    return {list.at("items").begin(), list.at("items").end()};
}

Json Life::pod_named(const std::string& name) { return must(kube::get(kube::pods, ns, name)); }
Json Life::get(const std::string& name) { return must(kube::get(kube::evaljobs, ns, name)); }

Json Life::status_of(const std::string& name) { return member(get(name), "status"); }

Json Life::condition(const std::string& name, const std::string& type) {
    const Json status = status_of(name);
    for (const Json& one : member(status, "conditions"))
        if (text_of(one, "type") == type) return one;
    return {};
}

bool Life::has_condition(const std::string& name, const std::string& type) {
    return text_of(condition(name, type), "status") == "True";
}

Result<Json> Life::change(const std::string& name, const Json& spec) {
    return ControlPlane::shared().send({kube::Verb::Patch,
                                        kube::object_path(kube::evaljobs, ns, name),
                                        {},
                                        "application/merge-patch+json",
                                        Json{{"spec", spec}}.dump()});
}

void Life::await(const std::string& what, const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
        ASSERT_LT(std::chrono::steady_clock::now(), until) << "in vain: " << what;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

void Life::await_condition(const std::string& name, const std::string& type) {
    await(name + " is " + type, [&] { return has_condition(name, type); });
}

void Life::await_pods(const std::string& name, std::size_t count) {
    await(name + " has " + std::to_string(count) + " Pods", [&] { return pods_of(name).size() == count; });
}

void Life::run(const Json& pod, const std::string& ip) {
    set_status(pod, "Running", {{"running", {{"startedAt", "2026-01-01T00:00:00Z"}}}}, ip);
}

void Life::wait_for_image(const Json& pod) {
    set_status(pod, "Pending", {{"waiting", {{"reason", "ErrImagePull"}, {"message", "no such image"}}}});
}

void Life::end(const Json& pod, int code, const std::string& message) {
    set_status(pod, code == 0 ? "Succeeded" : "Failed",
               {{"terminated",
                 {{"exitCode", code},
                  {"reason", code == 0 ? "Completed" : "Error"},
                  {"message", code == 0 && message.empty() ? encode_last_words(test::frozen_identity()) : message},
                  {"startedAt", "2026-01-01T00:00:00Z"},
                  {"finishedAt", "2026-01-01T00:00:01Z"}}}});
}

void Life::merge(const std::string& name, int code, const std::string& message) {
    Json pod;
    await(name + " has a merge Pod", [&] {
        for (const Json& one : pods_of(name))
            if (kube::pod_view(one).merge) pod = one;
        return !pod.is_null();
    });
    end(pod, code, message);
}

void Life::step(const std::string& name) {
    const auto pods = pods_of(name);
    const auto is_replacement = [](const PodView& pod) { return pod.node == 1 && pod.attempt > 0; };
    const bool replaced = std::any_of(pods.begin(), pods.end(), [&](const Json& one) {
        const PodView pod = kube::pod_view(one);
        return is_replacement(pod) && pod.phase != "Pending";
    });
    for (const Json& one : pods) {
        const PodView pod = kube::pod_view(one);
        if (pod.phase == "Pending" && pod.merge) {
            end(one, 0, report_of_merge());
        } else if (pod.phase == "Pending") {
            run(one);
        } else if (pod.phase == "Running" && pod.node == 1 && pod.attempt == 0) {
            end(one, 137, "last words");
        } else if (pod.phase == "Running" && replaced) {
            end(one, 0);
        }
    }
}

bool Life::has_ended(const std::string& name) {
    return has_condition(name, "Succeeded") || has_condition(name, "Failed");
}

End Life::end_of(const std::string& name) {
    End end;
    const Json status = get(name).at("status");
    end.status = status.at("summary").dump() + " restarts " + std::to_string(number_of(status, "restarts"));
    Json results = member(status, "results");
    for (const char* named : {"path", "claimName"})  // these have the job's name in them
        if (results.is_object()) results.erase(named);
    end.result = results.dump();
    const auto unnamed = [&](const std::string& child) { return child.substr(name.size()); };
    for (const Json& pod : pods_of(name)) {
        const PodView view = kube::pod_view(pod);
        // The Job controller names the merge's Pods at random.
        end.children.insert((view.merge ? "merge" : unnamed(view.name)) + " " + view.phase);
    }
    for (const kube::Resource& resource : {kube::services, kube::jobs}) {
        const Json list = must(kube::list(resource, ns, "evaljob.dev/job=" + name));
        for (const Json& child : list.at("items"))
            end.children.insert(resource.kind + unnamed(text_of(child.at("metadata"), "name")));
    }
    return end;
}

void PrintTo(const End& end, std::ostream* out) {
    *out << end.status << " " << end.result;
    for (const std::string& child : end.children) *out << " " << child;
}

}  // namespace evaljob::test
