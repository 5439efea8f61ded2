// Makespans over their bound, measured: real rank processes over TCP, with an engine that sleeps for its samples' cost.
#pragma once

#include <string>
#include <vector>

namespace evaljob::bench {

/// A table in Markdown. Shard logs lie below the current folder, which decides the disk.
std::string measured_makespans(int rounds, double mean_cost_ms);

/// What a rank's process runs: the arguments that measured_makespans() gave it.
int run_timed_rank(const std::vector<std::string>& arguments);

}  // namespace evaljob::bench
