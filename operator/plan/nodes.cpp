#include "operator/plan/nodes.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "api/names.hpp"
#include "operator/plan/identity.hpp"

namespace evaljob {
namespace {

const PodView* find_pod(const Observed& observed, std::int32_t node, std::int32_t attempt) {
    for (const PodView& pod : observed.pods)
        if (is_own_node_pod(observed.job, pod) && pod.node == node && pod.attempt == attempt) return &pod;
    return nullptr;
}

bool never_started(const PodView& pod) {
    if (pod.phase != "Pending") return false;
    return std::ranges::none_of(pod.containers, [](const ContainerView& c) { return c.running || c.terminated; });
}

NodeLife life_of(const PodView& pod, bool work_done) {
    if (has_succeeded(pod)) return NodeLife::Done;
    // Whatever it ends with: it is not needed any more.
    if (work_done && (pod.deleting || never_started(pod))) return NodeLife::Done;
    if (has_failed(pod)) return NodeLife::Dead;
    if (!pod.deleting) return NodeLife::Live;
    return is_disrupted(pod) ? NodeLife::Dead : NodeLife::Leaving;
}

NodeLife life_without_pod(const Observed& observed, const NodeState& state, std::int32_t seen, bool work_done) {
    if (work_done) return NodeLife::Done;
    if (seen < state.attempt) return NodeLife::New;
    const bool confirmed = observed.absent.contains(names::pod(observed.job.meta.name, state.node, state.attempt));
    return confirmed ? NodeLife::Dead : NodeLife::Missing;
}

}  // namespace

std::int32_t attempt_in(const std::map<std::string, std::int32_t>& attempts, std::int32_t node) {
    const auto found = attempts.find(std::to_string(node));
    return found == attempts.end() ? -1 : found->second;
}

bool is_own_node_pod(const EvalJob& job, const PodView& pod) {
    return !pod.merge && pod.node >= 0 && pod.owner_uid == job.meta.uid;
}

const ContainerView* runner_of(const PodView& pod) {
    for (const ContainerView& container : pod.containers)
        if (container.name == names::runner_container) return &container;
    return nullptr;
}

bool has_succeeded(const PodView& pod) {
    const ContainerView* runner = runner_of(pod);
    if (runner && runner->terminated) return runner->exit_code == 0;
    return pod.phase == "Succeeded";
}

bool has_failed(const PodView& pod) {
    const ContainerView* runner = runner_of(pod);
    if (runner && runner->terminated) return runner->exit_code != 0;
    return pod.phase == "Failed";
}

bool has_ended(const PodView& pod) { return pod.phase == "Failed" || pod.phase == "Succeeded"; }

bool is_running(const PodView& pod) {
    const ContainerView* runner = runner_of(pod);
    return runner ? runner->running : pod.phase == "Running";
}

bool is_disrupted(const PodView& pod) {
    return pod.reason == "Evicted" || std::ranges::any_of(pod.conditions, [](const PodConditionView& condition) {
               return condition.type == "DisruptionTarget" && condition.status == "True";
           });
}

bool work_is_done(const Observed& observed) {
    if (!observed.job.spec.eval) return false;
    if (observed.job.status.nodes.succeeded > 0) return true;
    return std::ranges::any_of(
        observed.pods, [&](const PodView& pod) { return is_own_node_pod(observed.job, pod) && has_succeeded(pod); });
}

std::map<std::string, std::int32_t> seen_attempts(const Observed& observed) {
    auto seen = observed.job.status.node_attempts;
    for (const PodView& pod : observed.pods) {
        if (!is_own_node_pod(observed.job, pod)) continue;
        const auto [entry, is_new] = seen.try_emplace(std::to_string(pod.node), pod.attempt);
        if (!is_new) entry->second = std::max(entry->second, pod.attempt);
    }
    return seen;
}

std::map<std::string, std::int32_t> decided_attempts(const Observed& observed) {
    const auto seen = seen_attempts(observed);
    auto decided = observed.job.status.next_attempts;
    std::erase_if(decided, [&](const auto& entry) {
        const auto found = seen.find(entry.first);
        return found != seen.end() && found->second >= entry.second;
    });
    return decided;
}

std::vector<NodeState> node_states(const Observed& observed) {
    const auto seen = seen_attempts(observed);
    const auto decided = decided_attempts(observed);
    const bool group = observed.job.spec.restart_policy.scope == RestartScope::Group;
    std::int32_t of_all = 0;  // scope Group: one attempt for all
    for (const auto* attempts : {&seen, &decided})
        for (const auto& [node, attempt] : *attempts) of_all = std::max(of_all, attempt);
    const bool work_done = work_is_done(observed);
    std::vector<NodeState> states;
    const bool heard = !is_identity_unknown(observed);
    for (std::int32_t node = 0; node < observed.job.spec.num_nodes; ++node) {
        const bool over = work_done && (node != 0 || heard);
        const std::int32_t own = std::max({attempt_in(seen, node), attempt_in(decided, node), 0});
        NodeState state{node, NodeLife::New, group ? of_all : own, nullptr};
        state.pod = find_pod(observed, node, state.attempt);
        state.life =
            state.pod ? life_of(*state.pod, over) : life_without_pod(observed, state, attempt_in(seen, node), over);
        states.push_back(state);
    }
    return states;
}

bool dismiss_senders(const Observed& observed, std::vector<NodeState>& nodes, UnixSeconds now) {
    if (observed.job.spec.storage.writers != Writers::Node0 || nodes.front().life != NodeLife::Done) return false;
    const ContainerView* writer = nodes.front().pod ? runner_of(*nodes.front().pod) : nullptr;
    const bool over = !writer || now >= writer->finished_at + farewell_to_writer;
    bool waited_for = false;
    for (NodeState& state : nodes) {
        if (state.life == NodeLife::Done) continue;
        if (state.life == NodeLife::Dead || over)
            state.life = NodeLife::Done;
        else
            waited_for = true;
    }
    return waited_for;
}

std::string death_of(const EvalJob& job, const NodeState& state) {
    if (!state.pod) return "Pod " + names::pod(job.meta.name, state.node, state.attempt) + " has vanished";
    const PodView& pod = *state.pod;
    std::string text = "Pod " + pod.name;
    const ContainerView* runner = runner_of(pod);
    if (runner && runner->terminated) {
        text += " exited " + std::to_string(runner->exit_code);
        return runner->reason.empty() ? text : text + " (" + runner->reason + ")";
    }
    text += has_failed(pod) ? " failed" : " is being deleted";
    if (!pod.reason.empty()) text += " (" + pod.reason + ")";
    return pod.message.empty() ? text : text + ": " + pod.message;
}

std::string first_failure(const Observed& observed) {
    const PodView* first = nullptr;
    const auto order = [](const PodView& pod) {
        const ContainerView* runner = runner_of(pod);
        const UnixSeconds at =
            runner && runner->finished_at ? runner->finished_at : std::numeric_limits<UnixSeconds>::max();
        return std::tuple(at, pod.attempt, pod.node);
    };
    for (const PodView& pod : observed.pods) {
        if (!is_own_node_pod(observed.job, pod) || !has_failed(pod)) continue;
        if (!first || order(pod) < order(*first)) first = &pod;
    }
    if (!first) return {};
    std::string text = death_of(observed.job, {first->node, NodeLife::Dead, first->attempt, first});
    // The runner's own last words; else those of what failed in front of it (an init container).
    const ContainerView* speaker = runner_of(*first);
    for (const ContainerView& container : first->containers) {
        if (speaker && !speaker->termination_message.empty()) break;
        if (container.terminated && container.exit_code != 0) speaker = &container;
    }
    if (speaker && !speaker->termination_message.empty()) text += ": " + speaker->termination_message;
    return text;
}

}  // namespace evaljob
