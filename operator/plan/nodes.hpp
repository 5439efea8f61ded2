// Which attempt of each node is current, whether it lives, and what it died of. Pure.
//
// The current attempt is the one that status has decided on, or the highest that was ever seen. A decision stands in
// status before its Pod is made, so "decided and not seen" is a Pod to be made, and "seen and not there" one that died.
//
// A node is Done when its container `runner` has exited 0, whatever its Pod's other containers do.
// With eval, work that is done is durable on the volume: runners exit 0 only behind the done marker. So once one node
// has succeeded, a node whose Pod has vanished or never started is Done as well; the merge proves that nothing is
// missing. Node 0 is needed until it has said what it evaluates: what the merge has to prove. Without eval nothing says
// what a vanished Pod had written, and it counts as dead.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "operator/plan/plan.hpp"

namespace evaljob {

enum class NodeLife {
    New,      // its current attempt was never seen: to be made
    Live,     // its Pod waits, starts or runs
    Leaving,  // its Pod is being deleted, and nothing says that it has failed: wait until it has ended
    Missing,  // its Pod was seen once, and the stores do not show it: to be confirmed
    Dead,     // its Pod has failed, is being evicted, or has vanished: to be replaced
    Done,
};

struct NodeState {
    std::int32_t node = 0;
    NodeLife life = NodeLife::New;
    std::int32_t attempt = 0;      // the current one
    const PodView* pod = nullptr;  // of the current attempt; points into Observed
};

/// Of every node of the job, in order.
std::vector<NodeState> node_states(const Observed& observed);

/// storage.writers Node0: once node 0 is done, all is on the volume, and nobody is left to whom another node could send
/// anything. A node that has died is Done then, and so is one that has not heard of it: its Pod is removed when this is
/// asked again `farewell_to_writer` later. True: there is such a one.
bool dismiss_senders(const Observed& observed, std::vector<NodeState>& nodes, UnixSeconds now);
inline constexpr UnixSeconds farewell_to_writer = 30;

/// What a map of attempts holds for the node, or -1.
std::int32_t attempt_in(const std::map<std::string, std::int32_t>& attempts, std::int32_t node);

/// node_attempts of status, brought up to date with what is observed.
std::map<std::string, std::int32_t> seen_attempts(const Observed& observed);

/// next_attempts of status, without those that have been seen.
std::map<std::string, std::int32_t> decided_attempts(const Observed& observed);

bool is_own_node_pod(const EvalJob& job, const PodView& pod);
const ContainerView* runner_of(const PodView& pod);
bool has_succeeded(const PodView& pod);  // the runner has
bool has_failed(const PodView& pod);
bool has_ended(const PodView& pod);     // no container runs, and none will
bool is_running(const PodView& pod);    // the runner is
bool is_disrupted(const PodView& pod);  // evicted, preempted, or on a node that is lost: not its own fault

/// With eval: some node has succeeded, now or as status remembers.
bool work_is_done(const Observed& observed);

/// "Pod demo-2-0 exited 137 (OOMKilled)", "Pod demo-2-0 has vanished", …
std::string death_of(const EvalJob& job, const NodeState& state);

/// "Pod demo-2-0 exited 1 (Error): <last lines>" of the Pod that failed first; empty when none is left to be seen.
std::string first_failure(const Observed& observed);

}  // namespace evaljob
