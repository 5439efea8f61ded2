// What is made, what is ended, and whether the budget allows it. Pure.
//
// Scope Node: each dead node gets its next attempt; its failed Pod stays for its log.
// Scope Group: one dead node ends the group's attempt; the next one starts, for all nodes, when no old Pod runs any
// more. The budget is derived from what was seen: the sum of the nodes' highest attempts, or the group's attempt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "operator/plan/nodes.hpp"

namespace evaljob {

/// Why the job has failed.
struct Failure {
    std::string reason;   // CamelCase, of the Failed condition
    std::string message;  // for a person
};

struct NodeRestart {
    std::int32_t node = 0;
    std::int32_t attempt = 0;  // the new one
    std::string death;         // of the old one
};

struct NodeDecision {
    struct Pod {
        std::int32_t node = 0;
        std::int32_t attempt = 0;
    };
    std::vector<Pod> create;
    std::vector<const PodView*> remove;  // live Pods; none that is being deleted already
    std::vector<NodeRestart> restarted;  // scope Node: decided now; scope Group: the first that died
    std::int32_t attempt = 0;            // of the group, after this decision
    std::int32_t restarts = 0;           // after this decision
    bool group_restart = false;          // the group's Pods are being ended
    std::optional<Failure> failure;      // then nothing else holds
};

/// How many restarts have been made, as far as Pods and status show.
std::int32_t restarts_seen(const Observed& observed);

NodeDecision decide_nodes(const Observed& observed, const std::vector<NodeState>& states);

}  // namespace evaljob
