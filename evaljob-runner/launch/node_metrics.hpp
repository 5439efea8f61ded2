// What a node's launcher says at /metrics, in Prometheus' text format: its ranks, and on node 0 the whole run. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "evaljob-runner/coordinator/coordinator.hpp"

namespace evaljob {

/// A rank of this node.
struct RankUsage {
    std::int32_t rank = 0;
    std::int32_t restarts = 0;  // in its place
    std::uint64_t batches = 0;
    std::uint64_t samples = 0;
    std::uint64_t failed = 0;
    double starting_seconds = 0;
    double waiting_seconds = 0;
    double computing_seconds = 0;
    double writing_seconds = 0;
    std::uint64_t requests = 0;  // to a server
    std::uint64_t requests_again = 0;
    std::uint64_t prompt_tokens = 0;
    std::uint64_t completion_tokens = 0;
};

/// `run` is null where no coordinator lives.
std::string node_metrics(const std::vector<RankUsage>& ranks, const CoordinatorProgress* run);

/// What /progress says on a node without a coordinator.
std::string node_progress_json(const std::vector<RankUsage>& ranks, std::int32_t attempt);

}  // namespace evaljob
