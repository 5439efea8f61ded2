// The check of the rank contract: one process against all others that have registered. Pure.
#pragma once

#include <string>
#include <vector>

#include "evaljob-runner/coordinator/protocol.hpp"

namespace evaljob {

/// What every process of the job must agree with: the contract that the coordinator's own node was given.
struct ExpectedContract {
    std::string run_id;
    std::int32_t world_size = 1;  // when node 0's Pod was made; that of a Pod made after a scale may differ
    std::int32_t local_world_size = 1;
    std::string device_kind = "cpu";  // one kind for all: another gives other bytes
};

/// A process as messages name it: "pid 7 on fm-1 (RANK=2 NODE_RANK=1 LOCAL_RANK=0)".
std::string describe(const Hello& hello);

/// True when `newer` is the successor of `older`, not its rival: the same place in the job, restarted.
bool supersedes(const Hello& newer, const Hello& older);

/// The first violation of the contract by `hello` itself or against the processes that are connected now; empty when
/// there is none. It names the processes and the variable, and says what to mend.
std::string contract_violation(const Hello& hello, const ExpectedContract& expected,
                               const std::vector<Hello>& connected);

}  // namespace evaljob
