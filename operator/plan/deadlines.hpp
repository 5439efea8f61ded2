// What only the passing of time decides. Pure.
//
// Every time that is compared here was taken by the operator itself, from the clock that `now` comes from, or is a
// length that a runner measured. So clocks that differ between machines move no deadline.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "operator/plan/rules.hpp"

namespace evaljob {

/// A Pod that is being deleted is given this much more than its grace period; then its node counts as lost, and the Pod
/// is deleted without waiting for the node.
inline constexpr UnixSeconds lost_node_seconds = 30;

/// startupDeadlineSeconds or activeDeadlineSeconds has passed, by the times in `status`.
std::optional<Failure> missed_deadline(const EvalJob& job, const EvalJobStatus& status, UnixSeconds now);

/// progressDeadlineSeconds has passed, by the report of the attempt of node 0 that runs now.
bool is_stalled(const Observed& observed, const std::vector<NodeState>& states);

/// Pods of the job, of older ones of its name, and of its merge, whose deletion takes too long.
std::vector<const PodView*> overdue_deletions(const Observed& observed, UnixSeconds now);

bool has_outlived_its_end(const EvalJob& job, UnixSeconds now);

/// When something here can change at the earliest though nothing else happens.
std::optional<std::chrono::seconds> next_deadline(const Observed& observed, const EvalJobStatus& status,
                                                  UnixSeconds now);

}  // namespace evaljob
