#include "operator/kube/views.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "api/json_read.hpp"
#include "api/names.hpp"
#include "operator/plan/time.hpp"

namespace evaljob::kube {
namespace {

std::string label_of(const Json& object, const char* label) {
    return text_of(member(member(object, "metadata"), "labels"), label);
}

std::int32_t parsed(const std::string& text, std::int32_t otherwise) {
    std::int32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && value >= 0 ? value : otherwise;
}

/// The owner that controls the object, or null.
const Json& controller_of(const Json& object) {
    static const Json nothing;
    for (const Json& owner : member(member(object, "metadata"), "ownerReferences"))
        if (flag_of(owner, "controller")) return owner;
    return nothing;
}

bool is_set(const Json& parent, const char* key) { return !member(parent, key).is_null(); }

const Json* condition(const Json& object, const char* type) {
    for (const Json& candidate : member(member(object, "status"), "conditions"))
        if (text_of(candidate, "type") == type) return &candidate;
    return nullptr;
}

/// Conditions that every Pod has; no rule needs them.
bool is_usual(const std::string& condition) {
    constexpr std::array usual{"PodScheduled", "Initialized", "ContainersReady", "Ready", "PodReadyToStartContainers"};
    return std::ranges::find(usual, condition) != usual.end();
}

bool holds(const Json* condition) { return condition && text_of(*condition, "status") == "True"; }

ContainerView container_view(const Json& status) {
    ContainerView view;
    view.name = text_of(status, "name");
    const Json& state = member(status, "state");
    view.running = is_set(state, "running");
    if (const Json& terminated = member(state, "terminated"); terminated.is_object()) {
        view.terminated = true;
        view.exit_code = static_cast<int>(number_of(terminated, "exitCode"));
        view.reason = text_of(terminated, "reason");
        view.termination_message = text_of(terminated, "message");
        view.finished_at = from_rfc3339(text_of(terminated, "finishedAt"));
    } else {
        view.reason = text_of(member(state, "waiting"), "reason");
        view.waiting_message = text_of(member(state, "waiting"), "message");
    }
    return view;
}

}  // namespace

std::string job_key_of_child(const Json& object) {
    const std::string job = label_of(object, names::label_job);
    return job.empty() ? job : text_of(member(object, "metadata"), "namespace") + "/" + job;
}

ChildView child_view(const Json& object) {
    const Json& metadata = member(object, "metadata");
    const Json& owner = controller_of(object);
    return {text_of(metadata, "name"), text_of(metadata, "uid"), text_of(owner, "uid"),
            is_set(metadata, "deletionTimestamp"), text_of(owner, "kind")};
}

PodView pod_view(const Json& pod) {
    const ChildView child = child_view(pod);
    PodView view;
    view.name = child.name;
    view.uid = child.uid;
    view.owner_uid = child.owner_uid;
    view.owner_kind = child.owner_kind;
    view.deleting = child.deleting;
    view.grace_seconds = number_of(member(pod, "metadata"), "deletionGracePeriodSeconds");
    view.merge = label_of(pod, names::label_role) == names::role_merge;
    if (!view.merge) view.node = parsed(label_of(pod, names::label_node_rank), -1);
    view.attempt = parsed(label_of(pod, names::label_attempt), 0);
    const Json& status = member(pod, "status");
    view.phase = text_of(status, "phase");
    view.reason = text_of(status, "reason");
    view.message = text_of(status, "message");
    view.ip = text_of(status, "podIP");
    view.ready = holds(condition(pod, "Ready"));
    const Json* scheduled = condition(pod, "PodScheduled");
    if (scheduled) view.scheduled = holds(scheduled);
    if (scheduled && !holds(scheduled) && view.reason.empty()) {
        view.reason = text_of(*scheduled, "reason");
        view.message = text_of(*scheduled, "message");
    }
    for (const Json& one : member(status, "conditions"))
        if (!is_usual(text_of(one, "type"))) view.conditions.push_back({text_of(one, "type"), text_of(one, "status")});
    for (const char* list : {"containerStatuses", "initContainerStatuses"}) {
        for (const Json& container : member(status, list)) {
            view.containers.push_back(container_view(container));
            view.containers.back().init = list == std::string_view("initContainerStatuses");
        }
    }
    return view;
}

MergeJobView merge_job_view(const Json& job) {
    MergeJobView view;
    view.child = child_view(job);
    const Json* complete = condition(job, "Complete");
    const Json* failed = condition(job, "Failed");
    view.complete = holds(complete);
    view.failed = holds(failed);
    if (view.failed) view.message = text_of(*failed, "message");
    if (view.complete || view.failed)
        view.finished_at = from_rfc3339(text_of(view.complete ? *complete : *failed, "lastTransitionTime"));
    return view;
}

ClaimView claim_view(const Json& claim) {
    const ChildView child = child_view(claim);
    ClaimView view{true, child.deleting, child.owner_uid, child.owner_kind, label_of(claim, names::label_job), {}};
    for (const Json& mode : member(member(claim, "spec"), "accessModes"))
        if (mode.is_string()) view.access_modes.push_back(mode.get<std::string>());
    return view;
}

ObjectMeta meta_view(const Json& object) {
    const Json& metadata = member(object, "metadata");
    ObjectMeta meta;
    meta.name = text_of(metadata, "name");
    meta.ns = text_of(metadata, "namespace");
    meta.uid = text_of(metadata, "uid");
    meta.generation = number_of(metadata, "generation");
    meta.resource_version = text_of(metadata, "resourceVersion");
    meta.deleting = is_set(metadata, "deletionTimestamp");
    return meta;
}

}  // namespace evaljob::kube
