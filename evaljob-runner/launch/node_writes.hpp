// spec.storage.writers, as a process of a node sees it. Pure.
#pragma once

#include "api/contract.hpp"
#include "api/enum_names.hpp"
#include "api/runner_environment.hpp"

namespace evaljob {

/// Whether this process's node has no volume to write to, and node 0 writes for it.
inline bool node0_writes_for(const Environment& environment, const RankContract& contract) {
    return contract.node_rank != 0 && value_of(environment, runner_environment::writers) == name_of(Writers::Node0);
}

}  // namespace evaljob
