#include "operator/plan/restarts.hpp"

#include <algorithm>

#include "api/exit_code.hpp"

namespace evaljob {
namespace {

std::string final_reason(int code) {
    switch (code) {
        case exit_code::usage:
            return "UsageError";
        case exit_code::contract:
            return "ContractViolated";
        case exit_code::identity:
            return "IdentityMismatch";
        case exit_code::bad_input:
            return "BadInput";
        case exit_code::proof:
            return "ProofFailed";
        default:
            return "FinalExitCode";
    }
}

/// Only our own runner's exit codes mean this; another image's may mean anything.
std::optional<Failure> final_failure(const Observed& observed, const std::vector<NodeState>& states) {
    if (!observed.job.spec.eval) return {};
    for (const NodeState& state : states) {
        const ContainerView* runner = state.pod ? runner_of(*state.pod) : nullptr;
        if (!runner || !runner->terminated || !exit_code::is_final(runner->exit_code)) continue;
        std::string message = death_of(observed.job, state) + ", which another try cannot mend";
        if (!runner->termination_message.empty()) message += ": " + runner->termination_message;
        return Failure{final_reason(runner->exit_code), std::move(message)};
    }
    return {};
}

Failure budget_failure(const Observed& observed, const NodeState& dead) {
    std::string message = death_of(observed.job, dead) + ", and restartPolicy.maxRestarts (" +
                          std::to_string(observed.job.spec.restart_policy.max_restarts) + ") is used up";
    if (const std::string first = first_failure(observed); !first.empty()) message += ". First failure: " + first;
    return {"MaxRestartsExceeded", std::move(message)};
}

/// Pods of nodes that the job no longer has, or that are not needed as the work is done.
void remove_surplus(const Observed& observed, const std::vector<NodeState>& states, NodeDecision& decision) {
    for (const PodView& pod : observed.pods)
        if (is_own_node_pod(observed.job, pod) && pod.node >= observed.job.spec.num_nodes && !has_ended(pod) &&
            !pod.deleting)
            decision.remove.push_back(&pod);
    for (const NodeState& state : states)
        if (state.life == NodeLife::Done && state.pod && !has_succeeded(*state.pod) && !state.pod->deleting)
            decision.remove.push_back(state.pod);
}

void decide_each(const Observed& observed, const std::vector<NodeState>& states, NodeDecision& decision) {
    decision.restarts = restarts_seen(observed);
    for (const NodeState& state : states) {
        if (state.life == NodeLife::New) decision.create.push_back({state.node, state.attempt});
        // Its runner has failed but its servers run on: end them, so that the next attempt finds devices and name free.
        if (state.life == NodeLife::Leaving && !state.pod->deleting) decision.remove.push_back(state.pod);
        if (state.life != NodeLife::Dead) continue;
        decision.create.push_back({state.node, state.attempt + 1});
        decision.restarted.push_back({state.node, state.attempt + 1, death_of(observed.job, state)});
        if (++decision.restarts <= observed.job.spec.restart_policy.max_restarts) continue;
        decision.failure = budget_failure(observed, state);
        return;
    }
}

/// Live Pods of the group up to `attempt`. True when there are any, those being deleted included.
bool end_attempts(const Observed& observed, std::int32_t attempt, NodeDecision& decision) {
    bool any = false;
    for (const PodView& pod : observed.pods) {
        if (!is_own_node_pod(observed.job, pod) || pod.attempt > attempt || has_ended(pod)) continue;
        any = true;
        if (!pod.deleting && std::ranges::find(decision.remove, &pod) == decision.remove.end())
            decision.remove.push_back(&pod);
    }
    return any;
}

void decide_group(const Observed& observed, const std::vector<NodeState>& states, NodeDecision& decision) {
    decision.attempt = decision.restarts = restarts_seen(observed);
    const auto lost = std::ranges::find_if(
        states, [](const NodeState& state) { return state.life == NodeLife::Dead || state.life == NodeLife::Leaving; });
    if (lost != states.end()) {
        if (decision.attempt + 1 > observed.job.spec.restart_policy.max_restarts) {
            decision.failure = budget_failure(observed, *lost);
            return;
        }
        decision.restarts = ++decision.attempt;
        decision.group_restart = true;
        decision.restarted.push_back({lost->node, decision.attempt, death_of(observed.job, *lost)});
        end_attempts(observed, decision.attempt - 1, decision);
        return;  // the new attempt is made when this decision stands in status and the old Pods have ended
    }
    if (end_attempts(observed, decision.attempt - 1, decision)) {
        decision.group_restart = true;
        return;
    }
    for (const NodeState& state : states)
        if (state.life == NodeLife::New) decision.create.push_back({state.node, state.attempt});
}

}  // namespace

std::int32_t restarts_seen(const Observed& observed) {
    if (observed.job.spec.restart_policy.scope == RestartScope::Group) return group_attempt(observed);
    std::int32_t sum = 0;
    for (const auto& [node, attempt] : seen_attempts(observed)) sum += attempt;
    return sum;
}

NodeDecision decide_nodes(const Observed& observed, const std::vector<NodeState>& states) {
    NodeDecision decision;
    decision.attempt = observed.job.status.attempt;
    decision.failure = final_failure(observed, states);
    if (decision.failure) return decision;
    remove_surplus(observed, states, decision);
    if (observed.job.spec.restart_policy.scope == RestartScope::Group)
        decide_group(observed, states, decision);
    else
        decide_each(observed, states, decision);
    return decision;
}

}  // namespace evaljob
