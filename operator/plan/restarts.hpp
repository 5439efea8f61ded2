// What is made, what is ended, and whether the budget allows it. Pure.
//
// A node is retired when its attempt is over, whatever the reason: its next attempt is decided, in status. The Pod is
// made once no Pod of an earlier attempt runs any more, because it takes the same host name and devices.
//   - Scope Node: a dead node is retired alone; its failed Pod stays for its log.
//   - Scope Group: one dead node retires all.
//   - Suspended, removed by scaling, stalled: all those that it concerns are.
// Which of these count against the budget is decided at the same moment: deaths by judge_death, a stall once; the rest
// does not. So the count is exact though Pods vanish later.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operator/plan/rules.hpp"

namespace evaljob {

struct NodeRestart {
    std::int32_t node = 0;
    std::int32_t attempt = 0;  // the new one
    std::string death;         // of the old one
    bool counts = true;
};

struct NodeDecision {
    struct Pod {
        std::int32_t node = 0;
        std::int32_t attempt = 0;
    };
    std::vector<Pod> create;
    std::vector<const PodView*> remove;                 // live Pods; none that is being deleted already
    std::vector<std::string> confirm;                   // names of Pods that seem to have vanished
    std::map<std::string, std::int32_t> next_attempts;  // status's, after this decision
    std::vector<NodeRestart> restarted;                 // decided now; scope Group: the first that died
    std::int32_t restarts = 0;                          // status's, after this decision
    std::optional<Failure> failure;                     // then nothing else holds
};

/// `stalled`: no node makes progress, so all of them start again.
NodeDecision decide_nodes(const Observed& observed, const std::vector<NodeState>& states, bool stalled = false);

/// All nodes' Pods are ended; those that were made are retired without counting, unless the merge has begun: then all
/// nodes are done, and its attempt is what is merged.
NodeDecision decide_suspended(const Observed& observed, const std::vector<NodeState>& states);

}  // namespace evaljob
