// Which attempt of each node is current, whether it lives, and what it died of. Pure.
//
// A node is Done when its container `runner` has exited 0, whatever its Pod's other containers do.
// With eval, work that is done is durable on the volume: runners exit 0 only behind the done marker. So once one node
// has succeeded, a node whose Pod has vanished or never started is Done as well; the merge proves that nothing is
// missing. Without eval nothing says what a vanished Pod had written, and it counts as dead.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "operator/plan/plan.hpp"

namespace evaljob {

enum class NodeLife {
    New,      // its current attempt was never seen: to be made
    Live,     // its Pod waits, starts or runs
    Leaving,  // its Pod is being deleted, or its runner failed while servers beside it go on: wait until it has ended
    Dead,     // its Pod has failed or vanished: to be replaced
    Done,
};

struct NodeState {
    std::int32_t node = 0;
    NodeLife life = NodeLife::New;
    std::int32_t attempt = 0;      // the current one: the highest seen (scope Group: the group's)
    const PodView* pod = nullptr;  // of the current attempt; points into Observed
};

/// Of every node of the job, in order.
std::vector<NodeState> node_states(const Observed& observed);

/// The group's attempt: the highest that was decided or seen.
std::int32_t group_attempt(const Observed& observed);

/// node_attempts of status, brought up to date with what is observed.
std::map<std::string, std::int32_t> seen_attempts(const Observed& observed);

bool is_own_node_pod(const EvalJob& job, const PodView& pod);
const ContainerView* runner_of(const PodView& pod);
bool has_succeeded(const PodView& pod);  // the runner has
bool has_failed(const PodView& pod);
bool has_ended(const PodView& pod);   // no container runs, and none will
bool is_running(const PodView& pod);  // the runner is

/// With eval: some node has succeeded, now or as status remembers.
bool work_is_done(const Observed& observed);

/// "Pod demo-2-0 exited 137 (OOMKilled)", "Pod demo-2-0 has vanished", …
std::string death_of(const EvalJob& job, const NodeState& state);

/// "Pod demo-2-0 exited 1 (Error): <last lines>" of the Pod that failed first; empty when none is left to be seen.
std::string first_failure(const Observed& observed);

}  // namespace evaljob
