// The rank contract: which process of a job is which. The operator injects it, the launcher gives each rank its own
// RANK and LOCAL_RANK, and the coordinator checks every process against all others.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/result.hpp"

namespace evaljob {

using Environment = std::map<std::string, std::string>;

/// A variable's value, or `otherwise` when it is not set or empty.
std::string value_of(const Environment& environment, const std::string& name, const std::string& otherwise = "");

/// Every variable the contract reserves; a template that sets one of these is refused.
std::span<const std::string_view> reserved_variables();
bool is_reserved_variable(std::string_view name);

/// One process's place in the job, read from its environment.
struct RankContract {
    std::string job_name;      // EVALJOB_NAME
    std::string job_uid;       // EVALJOB_UID
    std::string run_id;        // EVALJOB_RUN_ID: the same on every node
    std::int32_t attempt = 0;  // EVALJOB_ATTEMPT: of this node
    std::int32_t rank = 0;
    std::int32_t local_rank = 0;
    std::int32_t node_rank = 0;
    std::int32_t world_size = 1;
    std::int32_t local_world_size = 1;
    std::int32_t num_nodes = 1;
    std::string master_addr;
    std::int32_t master_port = 0;
    std::string output_dir;  // EVALJOB_OUTPUT_DIR: of this node and attempt alone
    std::string shared_dir;  // EVALJOB_SHARED_DIR: common to all nodes

    bool operator==(const RankContract&) const = default;
};

/// What the operator puts into the Pod of node `c.node_rank`: the whole table of the contract, PET_* included.
/// RANK and LOCAL_RANK are those of the node's first process.
Environment contract_environment(const RankContract& c);

/// Reads the contract back. Fails, naming the variable, when one is missing or not a number, and when the variables
/// contradict each other (RANK = NODE_RANK · LOCAL_WORLD_SIZE + LOCAL_RANK, ranges, WORLD_SIZE = NNODES ·
/// LOCAL_WORLD_SIZE).
Result<RankContract> read_contract(const Environment& environment);

/// Reads the variables without holding them against each other: what a process announces so that the coordinator can
/// name it beside the others. Fails, naming the variable, when one is missing or is not a number.
Result<RankContract> parse_contract(const Environment& environment);

/// Only whether the variables of one process fit each other; empty when they do, else a sentence that names them.
std::string contract_violation(const RankContract& c);

}  // namespace evaljob
