#include "operator/plan/waits.hpp"

#include <algorithm>

namespace evaljob {
namespace {

bool waits(const NodeState& state) { return state.life == NodeLife::Live && !is_running(*state.pod); }

bool is_ordinary(const ContainerView& container) {
    return container.running || container.terminated || container.reason.empty() ||
           container.reason == "ContainerCreating" || container.reason == "PodInitializing";
}

std::string with(const std::string& text, const std::string& more) { return more.empty() ? text : text + ": " + more; }

std::string trouble_of(const PodView& pod) {
    for (const ContainerView& container : pod.containers)
        if (!is_ordinary(container))
            return "Pod " + pod.name + ": container " + container.name + ": " +
                   with(container.reason, container.waiting_message);
    return pod.reason.empty() ? std::string() : "Pod " + pod.name + ": " + with(pod.reason, pod.message);
}

}  // namespace

std::string trouble(const std::vector<NodeState>& nodes) {
    for (const NodeState& state : nodes)
        if (waits(state))
            if (std::string text = trouble_of(*state.pod); !text.empty()) return text;
    return {};
}

std::string merge_trouble(const Observed& observed) {
    for (const PodView& pod : observed.pods) {
        const bool own = pod.merge && observed.merge_job && pod.owner_uid == observed.merge_job->child.uid;
        if (!own || is_running(pod) || has_ended(pod)) continue;
        if (std::string text = trouble_of(pod); !text.empty()) return text;
    }
    return {};
}

std::optional<Failure> unscheduled(const std::vector<NodeState>& nodes) {
    std::optional<Failure> first;
    std::size_t count = 0;
    for (const NodeState& state : nodes) {
        if (!waits(state) || state.pod->scheduled.value_or(true)) continue;
        ++count;
        const PodView& pod = *state.pod;
        if (!first)
            first =
                Failure{pod.reason.empty() ? "Unschedulable" : pod.reason, "Pod " + pod.name + with("", pod.message)};
    }
    if (count > 1) first->message = std::to_string(count) + " Pods have no machine; " + first->message;
    return first;
}

bool all_scheduled(const std::vector<NodeState>& nodes) {
    return std::ranges::all_of(nodes, [](const NodeState& state) {
        if (state.life == NodeLife::Done) return true;
        return state.life == NodeLife::Live && (is_running(*state.pod) || state.pod->scheduled.value_or(false));
    });
}

}  // namespace evaljob
