// `evaljob-runner launch`: one node of a job. Starts its ranks, gives each its RANK and LOCAL_RANK, prefixes their
// output, restarts a dead one within its budget, and passes on the first real exit status and the last error lines. On
// node 0 the coordinator runs in the same process, so that a rank's crash does not take it along.
#pragma once

#include <string>
#include <vector>

#include "api/contract.hpp"

namespace evaljob {

struct LaunchOptions {
    std::vector<std::string> wrapper;  // put in front of each rank's command line: numactl, a profiler, …
    int max_rank_restarts = 3;         // of each rank, in place
};

/// Runs until the node has ended; gives its exit status.
int launch_node(const LaunchOptions& options, const Environment& environment);

}  // namespace evaljob
