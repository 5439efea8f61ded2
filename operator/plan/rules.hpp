// What a node's death calls for: restartPolicy.rules, and behind them what holds without rules. Pure.
#pragma once

#include <optional>
#include <string>

#include "operator/plan/nodes.hpp"

namespace evaljob {

/// Why the job has failed.
struct Failure {
    std::string reason;   // CamelCase, of the Failed condition
    std::string message;  // for a person
};

struct DeathVerdict {
    bool counts = true;              // against restartPolicy.maxRestarts
    std::optional<Failure> failure;  // no restart: the job fails
};

/// Of a node whose life is Dead.
DeathVerdict judge_death(const EvalJob& job, const NodeState& dead);

}  // namespace evaljob
