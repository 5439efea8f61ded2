// What a run is told, and how: as the canonical text of its spec in one Secret, beside the run's token, which a Pod
// mounts as files. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "api/evaljob.hpp"

namespace evaljob::run_spec {

/// A Secret holds 1 MiB at most, the token included.
inline constexpr std::size_t max_bytes = 1'000'000;

// Keys of the Secret, which are the names of the files.
inline constexpr const char* token_key = "token";  // 32 random bytes, in hexadecimal digits
inline constexpr const char* spec_key = "spec";    // text()

inline constexpr const char* volume = "evaljob-run";       // of a Pod
inline constexpr const char* mount_path = "/run/evaljob";  // in its container `runner`

/// spec.eval with its defaults; of an image of the user's own spec.merge.expect, and null where there is none. As
/// canonical JSON, so that equal specs have equal texts.
std::string text(const EvalJobSpec& spec);

/// Why the spec cannot be brought to a run, naming the field; empty when it can.
std::string too_long(const EvalJobSpec& spec);

}  // namespace evaljob::run_spec
