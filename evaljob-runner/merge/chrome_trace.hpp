// Shard logs as Chrome's trace event format, which chrome://tracing, Perfetto and others show: a process a node, a
// thread a rank, an event a batch. Pure; for people only, as merge/timeline.
#pragma once

#include <string>
#include <vector>

#include "evaljob-runner/merge/timeline.hpp"

namespace evaljob {

/// Microseconds since the first batch began; the clocks are the nodes' own.
std::string chrome_trace(const std::vector<ShardTrace>& shards);

}  // namespace evaljob
