#include "operator/plan/ownership.hpp"

namespace evaljob {
namespace {

bool is_ours(const Observed& observed, const ChildView& child) { return child.owner_uid == observed.job.meta.uid; }

/// Goes away by itself: being deleted, or owned by an EvalJob of this name that is no more.
bool will_go(const ChildView& child) { return child.deleting || child.owner_kind == kind; }

Failure taken(const std::string& what, const std::string& name) {
    return {"NameTaken", what + " " + name + " exists and is not this EvalJob's: delete it, or rename the EvalJob"};
}

}  // namespace

std::optional<Failure> taken_name(const Observed& observed) {
    for (const Obstacle& obstacle : observed.obstacles)
        if (obstacle.reason != "Forbidden") return Failure{obstacle.reason, obstacle.message};
    if (observed.service && !is_ours(observed, *observed.service) && !will_go(*observed.service))
        return taken("Service", observed.service->name);
    if (observed.merge_job && !is_ours(observed, observed.merge_job->child) && !will_go(observed.merge_job->child))
        return taken("Job", observed.merge_job->child.name);
    return {};
}

std::optional<Failure> taken_pod_name(const Observed& observed, const std::string& name) {
    for (const PodView& pod : observed.pods)
        if (pod.name == name && pod.owner_uid != observed.job.meta.uid) return taken("Pod", name);
    return {};
}

std::string awaited_leftover(const Observed& observed) {
    for (const PodView& pod : observed.pods) {
        if (pod.owner_uid == observed.job.meta.uid || pod.merge) continue;
        if (pod.owner_kind == kind || pod.deleting) return "Pod " + pod.name;
    }
    if (observed.service && !is_ours(observed, *observed.service)) return "Service " + observed.service->name;
    if (observed.merge_job && !is_ours(observed, observed.merge_job->child))
        return "Job " + observed.merge_job->child.name;
    return {};
}

}  // namespace evaljob
