// Everything a merge has learnt when it decides. Internal to the merge.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/manifest.hpp"
#include "evaljob-runner/merge/answers.hpp"
#include "evaljob-runner/merge/image_records.hpp"
#include "evaljob-runner/merge/merge.hpp"
#include "evaljob-runner/merge/metrics.hpp"
#include "evaljob-runner/merge/shard_reading.hpp"
#include "evaljob-runner/shard/done_marker.hpp"

namespace evaljob {

struct Findings {
    Manifest manifest;  // of an image of the user's own: what is expected, or else what was found
    std::string identity;
    std::optional<DoneMarker> marker;
    ShardReading reading;
    std::vector<OutputFile> files;      // of an image of the user's own: what was read
    bool is_image = false;              // records come from such files, not from shard logs
    bool completeness_unknown = false;  // nothing says which samples there should be
    ScorerResults scored;
    std::vector<DatasetScores> scores;
    std::vector<DatasetAnswers> answers;
    std::vector<std::string> faults;  // any of them forbids a whole result
};

/// All that options.image names, read and held against what is expected; `faults` is left to the caller. Fails with
/// BadInput when the expected dataset cannot be read, with ReadFailed or TooLarge for the output.
Result<Findings> find_in_image_output(const MergeOptions& options);

}  // namespace evaljob
