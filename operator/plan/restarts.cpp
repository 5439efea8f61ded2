#include "operator/plan/restarts.hpp"

#include <algorithm>

#include "api/names.hpp"
#include "operator/plan/identity.hpp"
#include "operator/plan/run_secret.hpp"
#include "operator/plan/status.hpp"

namespace evaljob {
namespace {

bool is_group(const Observed& observed) { return observed.job.spec.restart_policy.scope == RestartScope::Group; }

void retire(NodeDecision& decision, std::int32_t node, std::int32_t attempt) {
    decision.next_attempts[std::to_string(node)] = attempt + 1;
}

/// The attempt that the node is to have after the decision.
std::int32_t wanted(const NodeDecision& decision, const NodeState& state) {
    return std::max(state.attempt, attempt_in(decision.next_attempts, state.node));
}

Failure budget_failure(const Observed& observed, const std::string& cause) {
    std::string message = cause + ", and restartPolicy.maxRestarts (" +
                          std::to_string(observed.job.spec.restart_policy.max_restarts) + ") is used up";
    if (const std::string first = first_failure(observed); !first.empty()) message += ". First failure: " + first;
    return {"MaxRestartsExceeded", std::move(message)};
}

/// Takes one restart from the budget; the failure when there is none left.
void charge(const Observed& observed, const std::string& cause, NodeDecision& decision) {
    if (++decision.restarts <= observed.job.spec.restart_policy.max_restarts) return;
    decision.failure = budget_failure(observed, cause);
}

void check_attempts(const std::vector<NodeState>& states, NodeDecision& decision) {
    for (const NodeState& state : states) {
        if (wanted(decision, state) <= names::max_attempt) continue;
        decision.failure = Failure{"TooManyAttempts", "node " + std::to_string(state.node) + " has had " +
                                                          std::to_string(names::max_attempt) +
                                                          " attempts, as many as its Pods' names can count"};
        return;
    }
}

struct Death {
    const NodeState* state = nullptr;
    DeathVerdict verdict;
};

void retire_each(const Observed& observed, const std::vector<Death>& deaths, NodeDecision& decision) {
    for (const Death& death : deaths) {
        const NodeState& state = *death.state;
        std::string cause = death_of(observed.job, state);
        if (death.verdict.counts) charge(observed, cause, decision);
        if (decision.failure) return;
        retire(decision, state.node, state.attempt);
        decision.restarted.push_back({state.node, state.attempt + 1, std::move(cause), death.verdict.counts});
    }
}

/// One restart of all. It counts unless a death among them does not: the members of a group die of each other.
void retire_group(const Observed& observed, const std::vector<NodeState>& states, const std::vector<Death>& deaths,
                  NodeDecision& decision) {
    const auto spared = std::ranges::find_if(deaths, [](const Death& death) { return !death.verdict.counts; });
    const bool counts = spared == deaths.end();
    const NodeState& first = counts ? *deaths.front().state : *spared->state;
    std::string cause = death_of(observed.job, first);
    if (counts) charge(observed, cause, decision);
    if (decision.failure) return;
    for (const NodeState& state : states) retire(decision, state.node, state.attempt);
    decision.restarted.push_back({first.node, first.attempt + 1, std::move(cause), counts});
}

void retire_dead(const Observed& observed, const std::vector<NodeState>& states, NodeDecision& decision) {
    std::vector<Death> deaths;
    for (const NodeState& state : states) {
        if (state.life != NodeLife::Dead) continue;
        deaths.push_back({&state, judge_death(observed.job, state)});
        // Nothing is done again: node 0 is asked for what nobody has heard of it.
        if (!state.pod && work_is_done(observed)) deaths.back().verdict = {false, {}};
        decision.failure = deaths.back().verdict.failure;
        if (decision.failure) return;
    }
    if (deaths.empty()) return;
    if (is_group(observed))
        retire_group(observed, states, deaths, decision);
    else
        retire_each(observed, deaths, decision);
}

/// What it left is on the volume; what it evaluated, nobody has heard. No fault of anyone's, and soon done.
void retire_silent(const Observed& observed, const std::vector<NodeState>& states, NodeDecision& decision) {
    const NodeState& writer = states.front();
    if (writer.life != NodeLife::Done || !is_identity_unknown(observed)) return;
    decision.failure = silent_for_good(observed);
    if (decision.failure) return;
    retire(decision, writer.node, writer.attempt);
    decision.restarted.push_back({writer.node, writer.attempt + 1,
                                  "Pod " + names::pod(observed.job.meta.name, writer.node, writer.attempt) +
                                      " has succeeded without saying what it evaluated",
                                  false});
}

/// The Pods that run were made with a Secret that status does not name: by an older operator, or one that said the spec
/// in other words. Further ones would not be known to them, so all that are not done begin again, with one Secret. What
/// they have finished is on the volume.
void retire_strangers(const Observed& observed, const std::vector<NodeState>& states, NodeDecision& decision) {
    if (!observed.job.spec.eval || seen_attempts(observed).empty()) return;
    const auto is_to_be_made = [&](const NodeState& state) {
        return state.life == NodeLife::New || wanted(decision, state) > state.attempt;
    };
    if (std::ranges::none_of(states, is_to_be_made) || has_run_secret(observed.job)) return;
    for (const NodeState& state : states) {
        if (state.life == NodeLife::Done || is_to_be_made(state)) continue;
        retire(decision, state.node, state.attempt);
        decision.restarted.push_back(
            {state.node, state.attempt + 1, "its Pod was made by another version of the operator", false});
    }
}

void retire_stalled(const Observed& observed, const std::vector<NodeState>& states, NodeDecision& decision) {
    const std::string cause = "no sample was finished for " + std::to_string(observed.progress->idle_seconds) +
                              " s (progressDeadlineSeconds is " +
                              std::to_string(*observed.job.spec.progress_deadline_seconds) + ")";
    charge(observed, cause, decision);
    if (decision.failure) return;
    for (const NodeState& state : states) {
        if (state.life == NodeLife::Done || state.life == NodeLife::New) continue;
        retire(decision, state.node, state.attempt);
        decision.restarted.push_back({state.node, state.attempt + 1, cause, decision.restarted.empty()});
    }
}

/// Nodes that the job no longer has: should they come back, they begin anew.
void retire_surplus(const Observed& observed, NodeDecision& decision) {
    for (const auto& [key, attempt] : seen_attempts(observed)) {
        const auto node = static_cast<std::int32_t>(std::atoi(key.c_str()));
        if (node >= observed.job.spec.num_nodes && attempt_in(decision.next_attempts, node) < 0)
            retire(decision, node, attempt);
    }
}

bool is_wanted(const Observed& observed, const std::vector<NodeState>& states, const NodeDecision& decision,
               const PodView& pod) {
    if (pod.node >= observed.job.spec.num_nodes) return false;
    const NodeState& state = states[static_cast<std::size_t>(pod.node)];
    if (pod.attempt < wanted(decision, state)) return false;
    // Done, though it never ran: it is not needed any more.
    return state.life != NodeLife::Done || has_succeeded(pod);
}

void end_unwanted(const Observed& observed, const std::vector<NodeState>& states, NodeDecision& decision) {
    for (const PodView& pod : observed.pods) {
        if (!is_own_node_pod(observed.job, pod) || has_ended(pod) || pod.deleting) continue;
        if (!is_wanted(observed, states, decision, pod)) decision.remove.push_back(&pod);
    }
}

/// Whether a Pod that the node's next one must wait for is still there.
bool has_predecessor(const Observed& observed, std::int32_t node, std::int32_t attempt) {
    return std::ranges::any_of(observed.pods, [&](const PodView& pod) {
        const bool concerns = is_group(observed) || pod.node == node;
        return is_own_node_pod(observed.job, pod) && concerns && pod.attempt < attempt && !has_ended(pod);
    });
}

/// Pods that the node's next one must wait for, that were seen once, and that the stores do not show.
void confirm_predecessors(const Observed& observed, const std::map<std::string, std::int32_t>& seen_of,
                          std::int32_t node, std::int32_t attempt, NodeDecision& decision) {
    for (const auto& [key, seen] : seen_of) {
        const auto of = static_cast<std::int32_t>(std::atoi(key.c_str()));
        if (seen >= attempt || (of != node && !is_group(observed))) continue;
        std::string name = names::pod(observed.job.meta.name, of, seen);
        const bool shown = std::ranges::any_of(observed.pods, [&](const PodView& pod) { return pod.name == name; });
        const bool asked = std::ranges::find(decision.confirm, name) != decision.confirm.end();
        if (!shown && !asked && !observed.absent.contains(name)) decision.confirm.push_back(std::move(name));
    }
}

void make_missing(const Observed& observed, const std::vector<NodeState>& states, NodeDecision& decision) {
    const auto seen = seen_attempts(observed);
    for (const NodeState& state : states) {
        const std::int32_t attempt = wanted(decision, state);
        const bool to_be_made = state.life == NodeLife::New || attempt > state.attempt;
        if (!to_be_made || has_predecessor(observed, state.node, attempt)) continue;
        confirm_predecessors(observed, seen, state.node, attempt, decision);
        decision.create.push_back({state.node, attempt});
    }
}

bool is_merging(const Observed& observed) { return find_condition(observed.job.status, "Merged") != nullptr; }

NodeDecision begin(const Observed& observed) {
    NodeDecision decision;
    decision.restarts = observed.job.status.restarts;
    decision.next_attempts = decided_attempts(observed);
    return decision;
}

}  // namespace

NodeDecision decide_nodes(const Observed& observed, const std::vector<NodeState>& states, bool stalled) {
    NodeDecision decision = begin(observed);
    for (const NodeState& state : states)
        if (state.life == NodeLife::Missing)
            decision.confirm.push_back(names::pod(observed.job.meta.name, state.node, state.attempt));
    if (!decision.confirm.empty()) return decision;
    retire_dead(observed, states, decision);
    if (!decision.failure && stalled && decision.restarted.empty()) retire_stalled(observed, states, decision);
    if (!decision.failure) retire_silent(observed, states, decision);
    if (decision.failure) return decision;
    retire_strangers(observed, states, decision);
    retire_surplus(observed, decision);
    check_attempts(states, decision);
    end_unwanted(observed, states, decision);
    make_missing(observed, states, decision);
    return decision;
}

NodeDecision decide_suspended(const Observed& observed, const std::vector<NodeState>& states) {
    NodeDecision decision = begin(observed);
    // With eval what is done stays done. Without, the members of a group begin again together.
    const bool durable = observed.job.spec.eval || is_merging(observed);
    for (const NodeState& state : states) {
        const bool made = state.life != NodeLife::New;
        const bool kept = durable && (state.life == NodeLife::Done || is_merging(observed));
        if (made && !kept) retire(decision, state.node, state.attempt);
    }
    retire_surplus(observed, decision);
    check_attempts(states, decision);
    for (const PodView& pod : observed.pods)
        if (is_own_node_pod(observed.job, pod) && !has_ended(pod) && !pod.deleting) decision.remove.push_back(&pod);
    return decision;
}

}  // namespace evaljob
