#include "operator/plan/nodes.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "api/names.hpp"

namespace evaljob {
namespace {

/// The highest attempt of the node that was ever seen, or -1.
std::int32_t highest_seen(const std::map<std::string, std::int32_t>& seen, std::int32_t node) {
    const auto found = seen.find(std::to_string(node));
    return found == seen.end() ? -1 : found->second;
}

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
    if (has_failed(pod)) return has_ended(pod) ? NodeLife::Dead : NodeLife::Leaving;
    if (work_done && never_started(pod)) return NodeLife::Done;
    return pod.deleting ? NodeLife::Leaving : NodeLife::Live;
}

NodeState state_of(const Observed& observed, std::int32_t node, std::int32_t seen, bool work_done) {
    const bool group = observed.job.spec.restart_policy.scope == RestartScope::Group;
    NodeState state{node, NodeLife::New, group ? group_attempt(observed) : std::max(seen, 0), nullptr};
    state.pod = find_pod(observed, node, state.attempt);
    if (state.pod)
        state.life = life_of(*state.pod, work_done);
    else if (work_done)
        state.life = NodeLife::Done;
    else if (seen >= state.attempt)
        state.life = NodeLife::Dead;
    return state;
}

}  // namespace

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

std::int32_t group_attempt(const Observed& observed) {
    std::int32_t highest = observed.job.status.attempt;
    for (const auto& [node, attempt] : seen_attempts(observed)) highest = std::max(highest, attempt);
    return highest;
}

std::vector<NodeState> node_states(const Observed& observed) {
    const auto seen = seen_attempts(observed);
    const bool work_done = work_is_done(observed);
    std::vector<NodeState> states;
    for (std::int32_t node = 0; node < observed.job.spec.num_nodes; ++node)
        states.push_back(state_of(observed, node, highest_seen(seen, node), work_done));
    return states;
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
