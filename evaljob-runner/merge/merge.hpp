// The merge: reads the manifest, the done marker and the logs it lists, proves them, and publishes the result or
// nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/merge_report.hpp"
#include "evaljob-runner/merge/statistics.hpp"

namespace evaljob {

struct MergeOptions {
    std::string shared_dir;
    std::string job_name;  // only for the title of report.html
    bool allow_partial = false;
    std::int64_t max_failed_samples = 0;
};

/// A line of what a merge prints for a person.
struct ScoreLine {
    std::string dataset;
    std::string name;
    Proportion share;
};

struct MergeOutcome {
    // success; proof: nothing was published and trying again cannot help; no_space: not before there is some; storage:
    // it may
    int exit_code = 0;
    MergeReport report;
    std::vector<ScoreLine> scores;
};

/// Never throws for what lies in the folder. Without a done marker it fails, unless partial results are allowed: then
/// it takes every log's whole frames.
MergeOutcome run_merge(const MergeOptions& options);

}  // namespace evaljob
