#include "local/job_controller.hpp"

#include <algorithm>

#include "local/job_plan.hpp"

namespace evaljob::local {
namespace {

std::string controller_uid(const Json& pod) {
    for (const auto& owner : pod.at("metadata").value("ownerReferences", Json::array())) {
        if (owner.value("controller", false) && owner.value("kind", "") == "Job") return owner.value("uid", "");
    }
    return {};
}

bool is_tracked(const Json& pod) {
    const auto finalizers = pod.at("metadata").value("finalizers", Json::array());
    return std::find(finalizers.begin(), finalizers.end(), Json(job_finalizer)) != finalizers.end();
}

Json without_finalizer(const Json& pod) {
    auto finalizers = pod.at("metadata").value("finalizers", Json::array());
    finalizers.erase(std::remove(finalizers.begin(), finalizers.end(), Json(job_finalizer)), finalizers.end());
    return {{"metadata", {{"finalizers", finalizers}, {"uid", pod.at("metadata").at("uid")}}}};
}

std::string path_to(const char* collection, const Json& object, const std::string& name) {
    const auto ns = string_at(object, "metadata", "namespace");
    const std::string root = std::string(collection) == "pods" ? "/api/v1" : "/apis/batch/v1";
    return root + "/namespaces/" + ns + "/" + collection + (name.empty() ? "" : "/" + name);
}

}  // namespace

JobController::JobController(MemoryApi& api, std::function<std::int64_t()> clock)
    : api_(api), clock_(std::move(clock)) {
    api_.admit(kube::jobs, admit_job);
}

void JobController::step() {
    while (apply_all()) {
    }
}

/// True when anything was written.
bool JobController::apply_all() {
    bool changed = release_orphans();
    for (const auto& job : api_.objects(kube::jobs)) changed = apply(*job) || changed;
    return changed;
}

bool JobController::apply(const Json& job) {
    std::vector<Json> pods;
    for (const auto& pod : api_.objects(kube::pods)) {
        if (controller_uid(*pod) == string_at(job, "metadata", "uid")) pods.push_back(*pod);
    }
    const auto plan = plan_job(job, pods, rfc3339(clock_()));
    bool changed = false;
    if (plan.status != job.value("status", Json::object())) {
        const Json patch{{"metadata", {{"resourceVersion", job.at("metadata").at("resourceVersion")}}},
                         {"status", plan.status}};
        if (!send(kube::Verb::Patch, path_to("jobs", job, string_at(job, "metadata", "name")) + "/status", patch))
            return false;  // it changed meanwhile: the next step sees it
        changed = true;
    }
    for (const auto& pod : pods) {
        const auto name = string_at(pod, "metadata", "name");
        const auto path = path_to("pods", job, name);
        const auto is_among = [&](const auto& names) {
            return std::find(names.begin(), names.end(), name) != names.end();
        };
        if (is_among(plan.release)) changed = send(kube::Verb::Patch, path, without_finalizer(pod)) || changed;
        if (is_among(plan.remove)) changed = send(kube::Verb::Delete, path, Json::object()) || changed;
    }
    if (plan.create) changed = send(kube::Verb::Post, path_to("pods", job, ""), *plan.create) || changed;
    return changed;
}

/// Pods whose Job is gone are counted by nobody.
bool JobController::release_orphans() {
    bool changed = false;
    const auto jobs = api_.objects(kube::jobs);
    for (const auto& pod : api_.objects(kube::pods)) {
        if (!is_tracked(*pod)) continue;
        const auto owner = controller_uid(*pod);
        const bool owned = std::any_of(jobs.begin(), jobs.end(), [&](const ObjectPtr& job) {
            return string_at(*job, "metadata", "uid") == owner;
        });
        if (!owned)
            changed = send(kube::Verb::Patch, path_to("pods", *pod, string_at(*pod, "metadata", "name")),
                           without_finalizer(*pod)) ||
                      changed;
    }
    return changed;
}

bool JobController::send(kube::Verb verb, const std::string& path, const Json& body) {
    const auto type = verb == kube::Verb::Patch ? "application/merge-patch+json" : "application/json";
    const auto response = api_.send({verb, path, {}, type, to_text(body)});
    return response && response->status < 300;
}

}  // namespace evaljob::local
