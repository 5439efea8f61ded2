#include "operator/plan/gang.hpp"

#include <algorithm>

#include "api/json.hpp"
#include "api/json_read.hpp"
#include "api/names.hpp"
#include "operator/plan/metadata.hpp"

namespace evaljob {
namespace {

constexpr const char* volcano = "scheduling.volcano.sh/v1beta1";
constexpr const char* coscheduling = "scheduling.x-k8s.io/v1alpha1";
constexpr const char* native_group = "scheduling.k8s.io/";
constexpr const char* native_workload = "scheduling.k8s.io/v1alpha1";  // of 1.35; PodGroups since
constexpr const char* no_gang = "None";
constexpr const char* members = "nodes";  // of a Workload: the name of its only group

bool is_native(const std::string& api) { return api.starts_with(native_group); }

/// The first that is served and that `fits`; empty: none.
template <class Fits>
std::string first_served(const std::set<std::string>& served, Fits fits) {
    for (const GangApi& api : gang_apis())
        if (served.contains(api.version) && fits(api.version)) return api.version;
    return {};
}

std::string listed(const std::string& prefix) {
    std::string all;
    for (const GangApi& api : gang_apis())
        if (std::string(api.version).starts_with(prefix)) all += (all.empty() ? "" : ", ") + std::string(api.version);
    return all;
}

GangChoice named(const char* name, const std::string& prefix, const std::set<std::string>& served) {
    std::string api = first_served(served, [&](const std::string& version) { return version.starts_with(prefix); });
    if (!api.empty()) return {std::move(api), {}};
    return {{},
            Failure{"GangUnavailable", std::string("scheduling.gang is ") + name + ", and the cluster does not serve " +
                                           listed(prefix) + ": have it installed, or use another gang"}};
}

GangChoice automatic(const Scheduling& scheduling, const std::set<std::string>& served) {
    if (!scheduling.queue_name.empty())
        return {!served.contains(kueue_group) && served.contains(volcano) ? volcano : no_gang, {}};
    std::string api = first_served(served, [](const std::string&) { return true; });
    return {api.empty() ? no_gang : std::move(api), {}};
}

GangChoice by_name(const Scheduling& scheduling, const std::set<std::string>& served) {
    switch (scheduling.gang) {
        case Gang::None:
            return {no_gang, {}};
        case Gang::Auto:
            return automatic(scheduling, served);
        case Gang::Native:
            return named("Native", native_group, served);
        case Gang::Volcano:
            return named("Volcano", volcano, served);
        case Gang::Coscheduling:
            return named("Coscheduling", coscheduling, served);
    }
    return {no_gang, {}};
}

bool is_in_kueue(const EvalJob& job) {
    return !job.spec.scheduling.queue_name.empty() && !job.status.gang.empty() && job.status.gang != volcano;
}

/// With scope Group an attempt is a group of its own: Pods of the one before that have succeeded would count in it.
void join_queue(const EvalJob& job, std::int32_t attempt, Json& metadata) {
    const bool of_attempt = job.spec.restart_policy.scope == RestartScope::Group;
    metadata["labels"]["kueue.x-k8s.io/queue-name"] = job.spec.scheduling.queue_name;
    metadata["labels"]["kueue.x-k8s.io/pod-group-name"] =
        of_attempt ? names::queue_group(job.meta.name, attempt) : names::gang(job.meta.name);
    metadata["annotations"]["kueue.x-k8s.io/pod-group-total-count"] = std::to_string(job.spec.num_nodes);
    // Its quota is free as soon as all have ended: nobody replaces a member.
    if (of_attempt) metadata["annotations"]["kueue.x-k8s.io/retriable-in-group"] = "false";
}

/// Required and not preferred: what is asked for and cannot be had is said, in the condition Scheduled.
void stay_together(const EvalJob& job, Json& pod_spec) {
    Json term = {{"topologyKey", job.spec.scheduling.topology_key},
                 {"labelSelector", {{"matchLabels", child_labels(job, names::role_node)}}}};
    pod_spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"].push_back(std::move(term));
}

void use_scheduler(const char* name, Json& pod_spec) {
    if (!pod_spec.contains("schedulerName")) pod_spec["schedulerName"] = name;
}

const char* scheduler_of(const std::string& api) {
    if (api == volcano) return "volcano";
    return api == coscheduling ? "scheduler-plugins-scheduler" : nullptr;
}

}  // namespace

const std::vector<GangApi>& gang_apis() {
    // What an administrator has installed for the purpose comes first; of the native ones the newest.
    static const std::vector<GangApi> all{{volcano, "podgroups"},
                                          {coscheduling, "podgroups"},
                                          {"scheduling.k8s.io/v1beta1", "podgroups"},
                                          {"scheduling.k8s.io/v1alpha3", "podgroups"},
                                          {"scheduling.k8s.io/v1alpha2", "podgroups"},
                                          {native_workload, "workloads"}};
    return all;
}

bool is_gang_undecided(const Observed& observed, const Settings& settings) {
    const Scheduling& scheduling = observed.job.spec.scheduling;
    const bool asked = scheduling.gang != Gang::None || !scheduling.queue_name.empty();
    return settings.in_cluster && asked && observed.job.status.gang.empty();
}

GangChoice choose_gang(const Scheduling& scheduling, const std::set<std::string>& served) {
    GangChoice choice = by_name(scheduling, served);
    const bool queued = !scheduling.queue_name.empty() && choice.api != volcano;
    if (!choice.missing && queued && !served.contains(kueue_group))
        choice.missing = Failure{"QueueUnavailable", "scheduling.queueName is " + scheduling.queue_name +
                                                         ", and the cluster does not serve " + kueue_group +
                                                         ": have Kueue installed, use gang Volcano, or no queue"};
    return choice;
}

std::optional<CreateGang> gang_object(const EvalJob& job) {
    const std::string& api = job.status.gang;
    if (api.empty() || api == no_gang) return {};
    const std::int32_t least = job.spec.min_nodes;
    Json object = {{"apiVersion", api},
                   {"kind", "PodGroup"},
                   {"metadata", child_metadata(job, names::gang(job.meta.name))},
                   {"spec", {{"minMember", least}}}};
    if (api == volcano) {
        if (!job.spec.scheduling.queue_name.empty()) object["spec"]["queue"] = job.spec.scheduling.queue_name;
        const std::string priority = text_of(member(job.spec.pod_template, "spec"), "priorityClassName");
        if (!priority.empty()) object["spec"]["priorityClassName"] = priority;
    } else if (api == native_workload) {
        object["kind"] = "Workload";
        object["spec"] = {
            {"controllerRef", {{"apiGroup", api_group}, {"kind", kind}, {"name", job.meta.name}}},
            {"podGroups", Json::array({{{"name", members}, {"policy", {{"gang", {{"minCount", least}}}}}}})}};
        return CreateGang{"workloads", std::move(object)};
    } else if (is_native(api)) {
        object["spec"] = {{"schedulingPolicy", {{"gang", {{"minCount", least}}}}}};
    }
    return CreateGang{"podgroups", std::move(object)};
}

void join_gang(const EvalJob& job, std::int32_t attempt, Json& metadata, Json& pod_spec) {
    const std::string& api = job.status.gang;
    const std::string gang = names::gang(job.meta.name);
    if (api == volcano) metadata["annotations"]["scheduling.k8s.io/group-name"] = gang;
    if (api == coscheduling) metadata["labels"]["scheduling.x-k8s.io/pod-group"] = gang;
    if (api == native_workload)
        pod_spec["workloadRef"] = {{"name", gang}, {"podGroup", members}};
    else if (is_native(api))
        pod_spec["schedulingGroup"] = {{"podGroupName", gang}};
    if (const char* scheduler = scheduler_of(api)) use_scheduler(scheduler, pod_spec);
    if (is_in_kueue(job)) join_queue(job, attempt, metadata);
    if (!job.spec.scheduling.topology_key.empty()) stay_together(job, pod_spec);
}

void place_merge(const EvalJob& job, Json& job_metadata, Json& pod_metadata, Json& pod_spec) {
    const std::string& queue = job.spec.scheduling.queue_name;
    if (const char* scheduler = scheduler_of(job.status.gang)) use_scheduler(scheduler, pod_spec);
    if (is_in_kueue(job)) job_metadata["labels"]["kueue.x-k8s.io/queue-name"] = queue;
    if (job.status.gang == volcano && !queue.empty())
        pod_metadata["annotations"]["scheduling.volcano.sh/queue-name"] = queue;
}

bool holds_quota(const Observed& observed) {
    if (!is_in_kueue(observed.job) || observed.job.spec.restart_policy.scope == RestartScope::Group) return false;
    const auto succeeded = std::ranges::count_if(observed.pods, [&](const PodView& pod) {
        return is_own_node_pod(observed.job, pod) && pod.phase == "Succeeded";
    });
    return succeeded < observed.job.spec.num_nodes;
}

}  // namespace evaljob
