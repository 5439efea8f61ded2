// The order of decisions; plan.hpp says it in four lines.
#include "operator/plan/plan.hpp"

#include "api/json.hpp"
#include "api/names.hpp"
#include "operator/plan/events.hpp"
#include "operator/plan/ownership.hpp"
#include "operator/plan/status.hpp"

namespace evaljob {
namespace {

using Phase = Verdict::Phase;

constexpr std::chrono::seconds leftover_look{2};
constexpr std::chrono::seconds merge_pod_look{1};
constexpr std::chrono::seconds rendezvous_look{2};

/// The job has ended: whatever of ours still runs is ended too. Ended Pods stay, for their logs.
Plan clean_up(const Observed& observed) {
    Plan plan;
    plan.status = observed.job.status;
    for (const PodView& pod : observed.pods)
        if (is_own_node_pod(observed.job, pod) && !has_ended(pod) && !pod.deleting)
            plan.actions.push_back(DeletePod{pod.name, pod.uid});
    return plan;
}

/// Status and events of a verdict; a failure's plan has no actions, so that the end is written before any clean-up.
Plan conclude(const Observed& observed, const Verdict& verdict, UnixSeconds now) {
    Plan plan;
    plan.status = make_status(observed, verdict, now);
    plan.events = events_between(observed.job, plan.status, verdict);
    if (is_terminal(plan.status)) plan.look_again = std::chrono::seconds{0};
    return plan;
}

Plan fail_job(const Observed& observed, Verdict verdict, Failure failure, UnixSeconds now) {
    verdict.phase = Phase::Failed;
    verdict.reason = std::move(failure);
    return conclude(observed, verdict, now);
}

Plan wait_for(const Observed& observed, Verdict verdict, const std::string& leftover, UnixSeconds now) {
    verdict.phase = Phase::Waiting;
    verdict.reason = {"WaitingForOldChildren", leftover +
                                                   " of an older EvalJob of this name is still there; nothing is "
                                                   "made until it has gone"};
    Plan plan = conclude(observed, verdict, now);
    plan.look_again = leftover_look;
    return plan;
}

Plan merge_step(const Observed& observed, const Settings& settings, Verdict verdict, UnixSeconds now) {
    MergeOutcome outcome = merge_outcome(observed, now);
    verdict.phase = Phase::Merging;
    verdict.report = std::move(outcome.report);
    if (outcome.kind == MergeOutcome::Kind::Failed) return fail_job(observed, verdict, std::move(outcome.failure), now);
    if (outcome.kind == MergeOutcome::Kind::Proven) verdict.phase = Phase::Succeeded;
    Plan plan = conclude(observed, verdict, now);
    if (outcome.kind == MergeOutcome::Kind::None)
        plan.actions.push_back(CreateMergeJob{merge_job(observed.job, settings)});
    if (outcome.kind == MergeOutcome::Kind::Lost)
        plan.actions.push_back(DeleteMergeJob{observed.merge_job->child.name, observed.merge_job->child.uid});
    const bool ended = observed.merge_job && (observed.merge_job->complete || observed.merge_job->failed);
    if (outcome.kind == MergeOutcome::Kind::Running && ended) plan.look_again = merge_pod_look;
    return plan;
}

std::vector<Action> node_actions(const Observed& observed, const Settings& settings, const NodeDecision& decision) {
    std::vector<Action> actions;
    const EvalJob& job = observed.job;
    for (const PodView* pod : decision.remove) actions.emplace_back(DeletePod{pod->name, pod->uid});
    if (!decision.create.empty() && job.spec.eval && seen_attempts(observed).empty())
        actions.emplace_back(CreateToken{token_secret(job)});
    if (!observed.service) actions.emplace_back(CreateService{headless_service(job, settings)});
    for (const NodeDecision::Pod& pod : decision.create)
        actions.emplace_back(CreatePod{node_pod(job, settings, pod.node, pod.attempt)});
    return actions;
}

/// With eval node 0's runner is asked again: soon until all ranks have met, then as often as status may show it.
std::optional<std::chrono::seconds> next_look(const EvalJob& job, const EvalJobStatus& after) {
    if (!job.spec.eval || !is_true(after, "Running")) return {};
    if (!is_true(after, "RendezvousReady")) return rendezvous_look;
    return std::chrono::seconds{progress_interval_seconds};
}

Plan node_step(const Observed& observed, const Settings& settings, Verdict verdict, UnixSeconds now) {
    verdict.phase = Phase::Nodes;
    verdict.decision = decide_nodes(observed, verdict.nodes);
    if (verdict.decision.failure) return fail_job(observed, verdict, *verdict.decision.failure, now);
    for (const NodeDecision::Pod& pod : verdict.decision.create)
        if (auto taken = taken_pod_name(observed, names::pod(observed.job.meta.name, pod.node, pod.attempt)))
            return fail_job(observed, verdict, std::move(*taken), now);
    Plan plan = conclude(observed, verdict, now);
    plan.actions = node_actions(observed, settings, verdict.decision);
    plan.look_again = next_look(observed.job, plan.status);
    return plan;
}

bool all_done(const std::vector<NodeState>& nodes) {
    for (const NodeState& state : nodes)
        if (state.life != NodeLife::Done) return false;
    return true;
}

/// Pods that never took part are removed before the merge begins.
bool has_unneeded_pods(const Observed& observed, const std::vector<NodeState>& nodes) {
    NodeDecision decision = decide_nodes(observed, nodes);
    return !decision.failure && !decision.remove.empty();
}

}  // namespace

Plan make_plan(const Observed& observed, const Settings& settings, UnixSeconds now) {
    const EvalJob& job = observed.job;
    if (job.meta.deleting) {  // garbage collection does the rest
        Plan plan;
        plan.status = job.status;
        return plan;
    }
    if (is_terminal(job.status)) return clean_up(observed);
    Verdict verdict;
    verdict.nodes = node_states(observed);
    if (auto failure = taken_name(observed)) return fail_job(observed, verdict, std::move(*failure), now);
    if (const std::string leftover = awaited_leftover(observed); !leftover.empty())
        return wait_for(observed, verdict, leftover, now);
    if (observed.merge_job || find_condition(job.status, "Merged"))
        return merge_step(observed, settings, std::move(verdict), now);
    if (all_done(verdict.nodes) && !has_unneeded_pods(observed, verdict.nodes))
        return merge_step(observed, settings, std::move(verdict), now);
    return node_step(observed, settings, std::move(verdict), now);
}

}  // namespace evaljob
