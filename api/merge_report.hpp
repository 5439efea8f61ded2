// What a merge says in its termination message: all that the operator learns of the result, since the merge Pod holds
// no API token. Always below the 4,096 bytes that Kubernetes keeps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/evaljob.hpp"
#include "api/result.hpp"

namespace evaljob {

struct MergeReport {
    bool published = false;
    bool partial = false;  // published although samples are missing or failed (merge.allowPartial)
    std::string identity;
    std::string digest;        // of the published files; names their folder; empty when nothing was published
    std::string path;          // of that folder, relative to the job's shared folder
    std::int64_t samples = 0;  // in the manifest, repeats included
    std::optional<std::int64_t> missing = 0;  // absent: CompletenessUnknown, as nothing says how many there should be
    std::int64_t repeated = 0;
    std::int64_t conflicting = 0;
    std::int64_t failed = 0;
    std::int64_t foreign = 0;
    AnswerCounts answers;
    std::vector<Metric> metrics;   // the primary ones: all samples of each dataset, no groups
    std::vector<std::string> ids;  // the first 20 at fault
    std::string error;             // one sentence for a person; empty when published

    bool operator==(const MergeReport&) const = default;
};

/// Drops ids, then metrics from the end, until it fits; digest, counts and the error's beginning always stay.
/// An error over 1,024 bytes is cut first.
std::string encode_merge_report(const MergeReport& report);

/// Fails with InvalidReport, saying which member is missing or of another type.
Result<MergeReport> decode_merge_report(std::string_view bytes);

}  // namespace evaljob
