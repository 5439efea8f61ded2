// Why samples failed: the same reason with other ids and numbers in it counts as one. Pure; the errors are untrusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/manifest.hpp"
#include "evaljob-runner/merge/proof.hpp"

namespace evaljob {

struct FailureReason {
    std::string example;  // the first sample's error
    std::uint64_t count = 0;
};

/// The error without what differs from sample to sample: its id, numbers but HTTP's statuses, words of letters and
/// digits as long as keys and digests are.
std::string alike(std::string_view error, std::string_view id);

/// The most frequent first; of equally frequent ones in the samples' order.
std::vector<FailureReason> failure_reasons(const Manifest& manifest, const Proof& proof);

/// "7 times: out of memory; once: …", the first few; how many there are beyond.
std::string words_of(const std::vector<FailureReason>& reasons);

}  // namespace evaljob
