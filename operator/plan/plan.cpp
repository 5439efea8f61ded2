// The order of decisions; plan.hpp says it in a few lines.
#include "operator/plan/plan.hpp"

#include <algorithm>

#include "api/json.hpp"
#include "api/names.hpp"
#include "operator/plan/deadlines.hpp"
#include "operator/plan/events.hpp"
#include "operator/plan/identity.hpp"
#include "operator/plan/ownership.hpp"
#include "operator/plan/preparation.hpp"
#include "operator/plan/run_secret.hpp"
#include "operator/plan/status.hpp"
#include "operator/plan/time.hpp"
#include "operator/plan/waits.hpp"

namespace evaljob {
namespace {

using Phase = Verdict::Phase;

constexpr std::chrono::seconds leftover_look{2};
constexpr std::chrono::seconds merge_pod_look{1};
constexpr std::chrono::seconds rendezvous_look{2};

void look_sooner(Plan& plan, std::optional<std::chrono::seconds> time) {
    if (time) plan.look_again = plan.look_again ? std::min(*plan.look_again, *time) : *time;
}

void delete_merge_job(const Observed& observed, Plan& plan) {
    if (observed.merge_job && !observed.merge_job->child.deleting)
        plan.actions.emplace_back(DeleteMergeJob{observed.merge_job->child.name, observed.merge_job->child.uid});
}

/// A Pod on a lost node is never reported as ended: it is deleted without waiting for that node.
void force_overdue(const Observed& observed, Plan& plan, UnixSeconds now) {
    bool of_merge = false;
    const std::string merge_uid = observed.merge_job ? observed.merge_job->child.uid : "";
    for (const PodView* pod : overdue_deletions(observed, now)) {
        plan.actions.emplace_back(DeletePod{pod->name, pod->uid, 0});
        of_merge = of_merge || (pod->merge && pod->owner_uid == merge_uid);
    }
    // Its Job waits until the Pod has ended; another one proves the same.
    if (of_merge) delete_merge_job(observed, plan);
}

/// The job has ended: whatever of ours still runs is ended too. Ended Pods stay, for their logs, until the whole job
/// is deleted.
Plan clean_up(const Observed& observed, UnixSeconds now) {
    const EvalJob& job = observed.job;
    Plan plan;
    plan.status = job.status;
    if (has_outlived_its_end(job, now)) {
        plan.actions.emplace_back(DeleteJob{job.meta.name, job.meta.uid});
        return plan;
    }
    const bool all = holds_quota(observed);
    for (const PodView& pod : observed.pods)
        if (is_own_node_pod(job, pod) && (all || !has_ended(pod)) && !pod.deleting)
            plan.actions.emplace_back(DeletePod{pod.name, pod.uid});
    force_overdue(observed, plan, now);
    // A merge that a deadline overtook.
    const bool ours = observed.merge_job && observed.merge_job->child.owner_uid == job.meta.uid;
    if (ours && !has_ended(*observed.merge_job)) delete_merge_job(observed, plan);
    plan.look_again = next_deadline(observed, plan.status, now);
    return plan;
}

/// Status and events of a verdict. The end of a job is a plan without actions: clean-up is a later plan's.
Plan conclude(const Observed& observed, const Verdict& verdict, UnixSeconds now) {
    Plan plan;
    plan.status = make_status(observed, verdict, now);
    plan.events = events_between(observed.job, plan.status, verdict);
    if (is_terminal(plan.status))
        plan.look_again = std::chrono::seconds{0};
    else
        plan.look_again = next_deadline(observed, plan.status, now);
    return plan;
}

Plan fail_job(const Observed& observed, Verdict verdict, Failure failure, UnixSeconds now) {
    verdict.phase = Phase::Failed;
    verdict.reason = std::move(failure);
    return conclude(observed, verdict, now);
}

/// As conclude, unless a deadline has passed by the status that would be written.
Plan conclude_in_time(const Observed& observed, const Verdict& verdict, UnixSeconds now) {
    Plan plan = conclude(observed, verdict, now);
    if (is_terminal(plan.status)) return plan;
    if (auto failure = missed_deadline(observed.job, plan.status, now))
        return fail_job(observed, verdict, std::move(*failure), now);
    return plan;
}

Plan wait_for(const Observed& observed, Verdict verdict, const std::string& leftover, UnixSeconds now) {
    verdict.phase = Phase::Waiting;
    verdict.reason = {"WaitingForOldChildren", leftover +
                                                   " of an older EvalJob of this name is still there; nothing is "
                                                   "made until it has gone"};
    Plan plan = conclude(observed, verdict, now);
    force_overdue(observed, plan, now);
    look_sooner(plan, leftover_look);
    return plan;
}

Plan suspended_step(const Observed& observed, Verdict verdict, UnixSeconds now) {
    verdict.phase = Phase::Suspended;
    verdict.decision = decide_suspended(observed, verdict.nodes);
    Plan plan = conclude(observed, verdict, now);
    for (const PodView* pod : verdict.decision.remove) plan.actions.emplace_back(DeletePod{pod->name, pod->uid});
    delete_merge_job(observed, plan);
    force_overdue(observed, plan, now);
    return plan;
}

/// Every node is done, and the status of this plan says so: servers beside the runners have nobody left to serve.
/// Native sidecars the kubelet ends itself.
void end_servers(const Observed& observed, Plan& plan) {
    const auto serves = [](const ContainerView& container) {
        return container.running && !container.init && container.name != names::runner_container;
    };
    for (const PodView& pod : observed.pods)
        if (is_own_node_pod(observed.job, pod) && !pod.deleting && std::ranges::any_of(pod.containers, serves))
            plan.actions.emplace_back(DeletePod{pod.name, pod.uid});
}

Plan ask(const Observed& observed) {
    Plan plan;
    plan.status = observed.job.status;
    return plan;
}

/// Before a Pod is made that mounts it.
std::optional<Plan> settle_run_secret(const Observed& observed, Verdict& verdict) {
    if (has_run_secret(observed.job)) return {};
    if (observed.run_secret) {
        verdict.run_secret = *observed.run_secret;
        return {};
    }
    Plan plan = ask(observed);
    plan.make_run_secret = true;
    return plan;
}

/// Bound to what status says: the Secret, and the identity that is to be proved.
CreateMergeJob bound_merge(const Observed& observed, const Settings& settings, const EvalJobStatus& status) {
    EvalJob job = observed.job;
    job.status = status;
    return {merge_job(job, settings)};
}

Plan merge_step(const Observed& observed, const Settings& settings, Verdict verdict, UnixSeconds now) {
    MergeOutcome outcome = merge_outcome(observed, now);
    verdict.phase = Phase::Merging;
    verdict.report = std::move(outcome.report);
    if (outcome.kind == MergeOutcome::Kind::Failed) return fail_job(observed, verdict, std::move(outcome.failure), now);
    if (outcome.kind == MergeOutcome::Kind::Proven) verdict.phase = Phase::Succeeded;
    if (outcome.kind == MergeOutcome::Kind::None) {
        if (is_identity_unknown(observed))
            return fail_job(observed, verdict,
                            {"IdentityUnknown",
                             "the merge is gone, and nothing says what it has to prove: an older operator began it. "
                             "Make the EvalJob again"},
                            now);
        if (auto instead = settle_run_secret(observed, verdict)) return std::move(*instead);
    }
    Plan plan = conclude_in_time(observed, verdict, now);
    if (is_terminal(plan.status)) return plan;
    end_servers(observed, plan);
    if (outcome.kind == MergeOutcome::Kind::None)
        plan.actions.emplace_back(bound_merge(observed, settings, plan.status));
    if (outcome.kind == MergeOutcome::Kind::Lost) delete_merge_job(observed, plan);
    force_overdue(observed, plan, now);
    const bool ended = observed.merge_job && has_ended(*observed.merge_job);
    if (outcome.kind == MergeOutcome::Kind::Running && ended) look_sooner(plan, merge_pod_look);
    return plan;
}

std::vector<Action> node_actions(const Observed& observed, const Settings& settings, const Verdict& verdict) {
    std::vector<Action> actions;
    const NodeDecision& decision = verdict.decision;
    EvalJob job = observed.job;
    job.status.gang = verdict.gang;
    if (!verdict.run_secret.empty()) job.status.run_secret = verdict.run_secret;
    for (const PodView* pod : decision.remove) actions.emplace_back(DeletePod{pod->name, pod->uid});
    const bool begins = !decision.create.empty() && seen_attempts(observed).empty();
    if (begins && verdict.make_claim) actions.emplace_back(CreateClaim{claim_object(job)});
    if (begins)
        if (auto gang = gang_object(job)) actions.emplace_back(std::move(*gang));
    if (!observed.service) actions.emplace_back(CreateService{headless_service(job, settings)});
    for (const NodeDecision::Pod& pod : decision.create)
        actions.emplace_back(CreatePod{node_pod(job, settings, pod.node, pod.attempt)});
    return actions;
}

/// With eval node 0's runner is asked again: soon until all ranks have met, less often the longer that takes, then as
/// often as status may show it.
std::optional<std::chrono::seconds> next_report(const EvalJob& job, const EvalJobStatus& after, UnixSeconds now) {
    if (!job.spec.eval || !is_true(after, "Running")) return {};
    constexpr std::chrono::seconds longest{progress_interval_seconds};
    if (is_true(after, "RendezvousReady")) return longest;
    const UnixSeconds since = from_rfc3339(find_condition(after, "Running")->last_transition_time);
    return std::clamp(std::chrono::seconds{(now - since) / 10}, rendezvous_look, longest);
}

/// Before the first Pod what is not in order is waited for, or fails the job. One that has begun goes on with the nodes
/// that it has.
std::optional<Plan> prepare_nodes(const Observed& observed, const Settings& settings, Verdict& verdict,
                                  UnixSeconds now) {
    verdict.gang = observed.job.status.gang;
    if (verdict.decision.create.empty()) return {};
    const Preparation ready = prepare(observed, settings);
    if (ready.read_claim || ready.read_apis) {
        Plan plan = ask(observed);
        plan.read_claim = ready.read_claim;
        plan.read_apis = ready.read_apis;
        return plan;
    }
    if (!ready.refused && !ready.awaited) {
        verdict.gang = ready.gang;
        verdict.make_claim = ready.make_claim;
        return {};
    }
    const Failure& why = ready.refused ? *ready.refused : *ready.awaited;
    const auto seen = seen_attempts(observed);
    if (!seen.empty()) {
        std::erase_if(verdict.decision.create, [&](const auto& pod) { return attempt_in(seen, pod.node) < 0; });
        verdict.held = why.message;
        return {};
    }
    if (ready.refused) return fail_job(observed, verdict, why, now);
    Verdict waiting;
    waiting.reason = why;
    waiting.starting = true;
    waiting.unschedulable = ready.unschedulable;
    Plan plan = conclude_in_time(observed, waiting, now);
    if (!is_terminal(plan.status)) look_sooner(plan, ready.unschedulable ? gang_look : claim_look);
    return plan;
}

/// Quotas are freed and policies changed: what is not let in now is tried again later.
void hold_forbidden(const Observed& observed, Verdict& verdict) {
    for (const Obstacle& obstacle : observed.obstacles) {
        if (obstacle.reason != "Forbidden") continue;
        verdict.decision.create.clear();
        verdict.held = obstacle.message;
    }
}

Plan node_step(const Observed& observed, const Settings& settings, Verdict verdict, UnixSeconds now) {
    verdict.phase = Phase::Nodes;
    verdict.stalled = is_stalled(observed, verdict.nodes);
    verdict.decision = decide_nodes(observed, verdict.nodes, verdict.stalled);
    if (!verdict.decision.confirm.empty()) {
        Plan plan = ask(observed);
        plan.confirm = verdict.decision.confirm;
        return plan;
    }
    if (verdict.decision.failure) return fail_job(observed, verdict, *verdict.decision.failure, now);
    for (const NodeDecision::Pod& pod : verdict.decision.create)
        if (auto taken = taken_pod_name(observed, names::pod(observed.job.meta.name, pod.node, pod.attempt)))
            return fail_job(observed, verdict, std::move(*taken), now);
    if (auto instead = prepare_nodes(observed, settings, verdict, now)) return std::move(*instead);
    hold_forbidden(observed, verdict);
    if (observed.job.spec.eval && !verdict.decision.create.empty())
        if (auto instead = settle_run_secret(observed, verdict)) return std::move(*instead);
    Plan plan = conclude_in_time(observed, verdict, now);
    if (is_terminal(plan.status)) return plan;
    plan.actions = node_actions(observed, settings, verdict);
    force_overdue(observed, plan, now);
    if (!verdict.held.empty()) look_sooner(plan, claim_look);
    if (!is_true(plan.status, "Scheduled") && all_scheduled(verdict.nodes))
        look_sooner(plan, std::chrono::seconds{scheduled_after_seconds});
    if (verdict.dismissing) look_sooner(plan, std::chrono::seconds{farewell_to_writer});
    look_sooner(plan, next_report(observed.job, plan.status, now));
    return plan;
}

/// Every node is done, node 0 has said what it evaluated, and no Pod that never took part is left to be removed.
bool all_done(const Observed& observed, const std::vector<NodeState>& nodes) {
    const bool done = std::ranges::all_of(nodes, [](const NodeState& state) { return state.life == NodeLife::Done; });
    return done && !is_identity_unknown(observed) && decide_nodes(observed, nodes).remove.empty();
}

bool is_ours(const EvalJob& job) { return job.spec.managed_by.empty() || job.spec.managed_by == operator_name; }

}  // namespace

Plan make_plan(const Observed& observed, const Settings& settings, UnixSeconds now) {
    const EvalJob& job = observed.job;
    if (job.meta.deleting || !is_ours(job)) {  // garbage collection, or the other operator, does the rest
        Plan plan;
        plan.status = job.status;
        return plan;
    }
    if (is_terminal(job.status)) return clean_up(observed, now);
    Verdict verdict;
    verdict.nodes = node_states(observed);
    verdict.dismissing = dismiss_senders(observed, verdict.nodes, now);
    if (auto failure = refused_here(job, settings)) return fail_job(observed, verdict, std::move(*failure), now);
    if (auto failure = taken_name(observed)) return fail_job(observed, verdict, std::move(*failure), now);
    if (const std::string leftover = awaited_leftover(observed); !leftover.empty())
        return wait_for(observed, verdict, leftover, now);
    const bool merge_ended = observed.merge_job && has_ended(*observed.merge_job);
    if (job.spec.suspend && !merge_ended) return suspended_step(observed, std::move(verdict), now);
    const bool merging = observed.merge_job || find_condition(job.status, "Merged");
    if (merging || all_done(observed, verdict.nodes)) return merge_step(observed, settings, std::move(verdict), now);
    return node_step(observed, settings, std::move(verdict), now);
}

}  // namespace evaljob
