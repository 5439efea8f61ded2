#include "operator/kube/views.hpp"

#include <charconv>

#include "api/names.hpp"
#include "operator/plan/time.hpp"

namespace evaljob::kube {
namespace {

const Json& at(const Json& parent, const char* key) {
    static const Json nothing;
    if (!parent.is_object()) return nothing;
    const auto found = parent.find(key);
    return found == parent.end() ? nothing : *found;
}

std::string text_at(const Json& parent, const char* key) {
    const Json& value = at(parent, key);
    return value.is_string() ? value.get<std::string>() : std::string();
}

bool flag_at(const Json& parent, const char* key) {
    const Json& value = at(parent, key);
    return value.is_boolean() && value.get<bool>();
}

std::int64_t number_at(const Json& parent, const char* key) {
    const Json& value = at(parent, key);
    return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

std::string label_of(const Json& object, const char* label) {
    return text_at(at(at(object, "metadata"), "labels"), label);
}

std::int32_t number_of(const std::string& text, std::int32_t otherwise) {
    std::int32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && value >= 0 ? value : otherwise;
}

/// The owner that controls the object, or null.
const Json& controller_of(const Json& object) {
    static const Json nothing;
    for (const Json& owner : at(at(object, "metadata"), "ownerReferences"))
        if (flag_at(owner, "controller")) return owner;
    return nothing;
}

bool is_set(const Json& parent, const char* key) { return !at(parent, key).is_null(); }

const Json* condition(const Json& object, const char* type) {
    for (const Json& candidate : at(at(object, "status"), "conditions"))
        if (text_at(candidate, "type") == type) return &candidate;
    return nullptr;
}

bool holds(const Json* condition) { return condition && text_at(*condition, "status") == "True"; }

ContainerView container_view(const Json& status) {
    ContainerView view;
    view.name = text_at(status, "name");
    const Json& state = at(status, "state");
    view.running = is_set(state, "running");
    if (const Json& terminated = at(state, "terminated"); terminated.is_object()) {
        view.terminated = true;
        view.exit_code = static_cast<int>(number_at(terminated, "exitCode"));
        view.reason = text_at(terminated, "reason");
        view.termination_message = text_at(terminated, "message");
        view.finished_at = from_rfc3339(text_at(terminated, "finishedAt"));
    } else {
        view.reason = text_at(at(state, "waiting"), "reason");
    }
    return view;
}

}  // namespace

std::string job_key_of_child(const Json& object) {
    const std::string job = label_of(object, names::label_job);
    return job.empty() ? job : text_at(at(object, "metadata"), "namespace") + "/" + job;
}

ChildView child_view(const Json& object) {
    const Json& metadata = at(object, "metadata");
    const Json& owner = controller_of(object);
    return {text_at(metadata, "name"), text_at(metadata, "uid"), text_at(owner, "uid"),
            is_set(metadata, "deletionTimestamp"), text_at(owner, "kind")};
}

PodView pod_view(const Json& pod) {
    const ChildView child = child_view(pod);
    PodView view;
    view.name = child.name;
    view.uid = child.uid;
    view.owner_uid = child.owner_uid;
    view.owner_kind = child.owner_kind;
    view.deleting = child.deleting;
    view.merge = label_of(pod, names::label_role) == names::role_merge;
    if (!view.merge) view.node = number_of(label_of(pod, names::label_node_rank), -1);
    view.attempt = number_of(label_of(pod, names::label_attempt), 0);
    const Json& status = at(pod, "status");
    view.phase = text_at(status, "phase");
    view.reason = text_at(status, "reason");
    view.message = text_at(status, "message");
    view.ip = text_at(status, "podIP");
    view.ready = holds(condition(pod, "Ready"));
    const Json* scheduled = condition(pod, "PodScheduled");
    if (scheduled && !holds(scheduled) && view.reason.empty()) {
        view.reason = text_at(*scheduled, "reason");
        view.message = text_at(*scheduled, "message");
    }
    for (const char* list : {"containerStatuses", "initContainerStatuses"})
        for (const Json& container : at(status, list)) view.containers.push_back(container_view(container));
    return view;
}

MergeJobView merge_job_view(const Json& job) {
    MergeJobView view;
    view.child = child_view(job);
    const Json* complete = condition(job, "Complete");
    const Json* failed = condition(job, "Failed");
    view.complete = holds(complete);
    view.failed = holds(failed);
    if (view.failed) view.message = text_at(*failed, "message");
    if (view.complete || view.failed)
        view.finished_at = from_rfc3339(text_at(view.complete ? *complete : *failed, "lastTransitionTime"));
    return view;
}

ObjectMeta meta_view(const Json& object) {
    const Json& metadata = at(object, "metadata");
    ObjectMeta meta;
    meta.name = text_at(metadata, "name");
    meta.ns = text_at(metadata, "namespace");
    meta.uid = text_at(metadata, "uid");
    meta.generation = number_at(metadata, "generation");
    meta.resource_version = text_at(metadata, "resourceVersion");
    meta.deleting = is_set(metadata, "deletionTimestamp");
    return meta;
}

}  // namespace evaljob::kube
