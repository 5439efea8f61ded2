// Reads a run's shard logs off the volume into the proof.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/manifest.hpp"
#include "evaljob-runner/merge/proof.hpp"
#include "evaljob-runner/merge/timeline.hpp"
#include "evaljob-runner/shard/done_marker.hpp"

namespace evaljob {

struct ShardReading {
    Proof proof;
    std::vector<ShardTrace> traces;    // of the logs of this evaluation, in the order of their paths
    std::vector<std::string> damaged;  // a sentence for each log that is not what it should be
};

/// With a marker: exactly the logs it lists, each exactly as long and with the digest it says. Without: the whole
/// frames of every log below runs/. Fails with ReadFailed only when the volume cannot be read; a bad log is listed, and
/// what stands in its sound frames counts.
Result<ShardReading> read_shards(const std::string& shared, const Manifest& manifest, const std::string& identity,
                                 const std::optional<DoneMarker>& marker);

/// Headers and batch ends of every log below runs/ that can be read, for people: of a run that goes on, too.
Result<std::vector<ShardTrace>> read_traces(const std::string& shared);

}  // namespace evaljob
