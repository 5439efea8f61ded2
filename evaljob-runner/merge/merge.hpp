// The merge: reads the manifest, the done marker and the logs it lists (or what an image of the user's own wrote),
// proves them, and publishes the result or nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/merge_report.hpp"
#include "evaljob-runner/merge/metrics.hpp"
#include "evaljob-runner/merge/scorer_run.hpp"

namespace evaljob {

/// Where an image of the user's own has written: every node's EVALJOB_OUTPUT_DIR of one attempt.
struct ImageOutput {
    std::string run_id;
    std::int32_t attempt = 0;
    std::int32_t nodes = 0;
    std::optional<Dataset> expect;  // spec.merge.expect; absent: the result is CompletenessUnknown
    std::string storage_root;       // what the dataset's paths are relative to
};

struct MergeOptions {
    std::string shared_dir;
    std::string identity;  // what is to be proved, and nothing else; empty: whatever lies there (by hand)
    std::string job_name;  // only for the title of report.html
    bool allow_partial = false;
    std::int64_t max_failed_samples = 0;
    std::optional<ImageOutput> image;  // absent: shard logs of our own runner
    ScorerSettings scoring = {};
};

/// A line of what a merge prints for a person.
struct ScoreLine {
    std::string dataset;
    Score score;
};

struct MergeOutcome {
    // success; proof, bad_input, identity: nothing was published and trying again cannot help; no_space: not before
    // there is some; storage: it may
    int exit_code = 0;
    MergeReport report;
    std::vector<ScoreLine> scores;
    std::string note = {};  // what a person should know of, beside a result that was published
};

/// Never throws for what lies in the folder. Without a done marker it fails, unless partial results are allowed: then
/// it takes every log's whole frames.
MergeOutcome run_merge(const MergeOptions& options);

}  // namespace evaljob
