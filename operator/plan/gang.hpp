// How the nodes' Pods are placed together: by which API of those that the cluster serves, and what that asks of the
// Pods. Pure.
//
// Which API it is, is decided once, with the first Pod, and stands in status.gang: later Pods must join the same gang.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "operator/plan/rules.hpp"

namespace evaljob {

/// A group and version that gangs can be made with, and the resource that it must serve; best first.
struct GangApi {
    const char* version;  // "scheduling.volcano.sh/v1beta1"
    const char* plural;
};
const std::vector<GangApi>& gang_apis();
inline constexpr const char* kueue_group = "kueue.x-k8s.io";

/// Before the first Pod, of a job that asks for a gang or a queue.
bool is_gang_undecided(const Observed& observed, const Settings& settings);

struct GangChoice {
    std::string api;  // of status.gang
    std::optional<Failure> missing;
};

/// `served`: versions of gang_apis(), and kueue_group.
GangChoice choose_gang(const Scheduling& scheduling, const std::set<std::string>& served);

/// The object that holds the gang together, by status.gang; nothing where Pods' own labels do.
std::optional<CreateGang> gang_object(const EvalJob& job);

/// A node's Pod as the gang, the queue and topologyKey want it.
void join_gang(const EvalJob& job, std::int32_t attempt, Json& metadata, Json& pod_spec);

/// The merge is queued like the Pods, and placed by the same scheduler, alone.
void place_merge(const EvalJob& job, Json& job_metadata, Json& pod_metadata, Json& pod_spec);

/// Kueue counts a group of Pods against the quota until as many have succeeded as it has, or none is left.
bool holds_quota(const Observed& observed);

}  // namespace evaljob
