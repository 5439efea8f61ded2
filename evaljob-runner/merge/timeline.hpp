// When which rank computed, from the shard logs' headers and batch ends: what report.html draws. Pure; for people only,
// because clocks of nodes differ and no result depends on them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "evaljob-runner/shard/shard_log.hpp"

namespace evaljob {

/// One shard log as the merge read it.
struct ShardTrace {
    std::string path;  // relative to the shared folder
    ShardHeader header;
    std::uint64_t records = 0;
    std::vector<BatchEnd> batches;
};

/// A stretch of a lane in which batches ran; neighbours too close to be told apart are one.
struct LaneSpan {
    double from = 0;  // share of the panel's time, 0 to 1
    double to = 0;
    bool repeated = false;  // the batch stands elsewhere under a lower lease number: this work was done again
    std::string title;
};

struct Lane {
    std::int32_t rank = 0;
    std::int32_t node = 0;
    std::uint64_t batches = 0;
    std::uint64_t samples = 0;
    double busy = 0;  // share of the panel's time
    std::vector<LaneSpan> spans;
};

/// A stretch of time in which the run was alive; a run that was stopped and resumed has several.
struct TimelinePanel {
    std::int64_t begin_us = 0;
    std::int64_t end_us = 0;
    double busy = 0;          // mean over the lanes
    double over_bound = 1;    // how many times the least possible it took; all ranks taken for equally fast, each for
                              // there from its first batch on. 0: not known, for a rank had several batches at a time
    std::vector<Lane> lanes;  // by rank
};

struct Timeline {
    std::vector<TimelinePanel> panels;
    std::uint64_t batches = 0;
    std::uint64_t repeated_batches = 0;
};

/// A pause of all ranks that is longer than this starts a new panel.
inline constexpr std::int64_t panel_gap_us = 60'000'000;

Timeline timeline_of(const std::vector<ShardTrace>& shards);

/// How many batches were evaluated in parts under the lease that counts: memory ran out, or a sample failed.
std::uint64_t split_batches(const std::vector<ShardTrace>& shards);

}  // namespace evaljob
