// What nodes' Pods wait for before they run, in the scheduler's and the kubelet's own words. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operator/plan/nodes.hpp"
#include "operator/plan/rules.hpp"

namespace evaljob {

/// A job that starts is said to be scheduled after so long: one that starts at once says so with Running, in one write.
inline constexpr UnixSeconds scheduled_after_seconds = 5;

/// "Pod demo-1-0: container runner: ErrImagePull: <the kubelet's words>"; empty when nothing is out of order.
std::string trouble(const std::vector<NodeState>& nodes);

/// The same of the merge's Pod, while it has not begun.
std::string merge_trouble(const Observed& observed);

/// The first Pod that has no machine, and why: reason (Unschedulable, SchedulingGated) and message.
std::optional<Failure> unscheduled(const std::vector<NodeState>& nodes);

/// Every node has its Pod on a machine, or is done.
bool all_scheduled(const std::vector<NodeState>& nodes);

}  // namespace evaljob
