// How the answers ended: the empty, the truncated, the filtered and the refused ones are counted, so that none of them
// passes for an answer in silence. Pure. What a record says of it is untrusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/evaljob.hpp"
#include "api/manifest.hpp"
#include "evaljob-runner/merge/proof.hpp"

namespace evaljob {

inline constexpr std::size_t max_finish_reasons = 32;       // different ones; what is beyond counts as other_reason
inline constexpr std::size_t max_finish_reason_bytes = 64;  // of one
inline constexpr const char* other_reason = "(other)";

struct DatasetAnswers {
    std::uint32_t dataset = 0;
    AnswerCounts counts;
    std::map<std::string, std::uint64_t> finish_reasons;  // as the records have them → samples
};

/// One entry for each dataset whose answers are texts or letters, in the manifest's order. Repeats count as samples.
std::vector<DatasetAnswers> answers_of(const Manifest& manifest, const Proof& proof);

/// Of all datasets together.
AnswerCounts sum_of(const std::vector<DatasetAnswers>& answers);

}  // namespace evaljob
