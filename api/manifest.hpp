// The manifest fixes, before the run, which samples there are, in which order, with which content and target, and which
// share a batch. The merge proves the records against it. docs/formats.md describes the file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/json.hpp"
#include "api/result.hpp"

namespace evaljob {

struct ManifestSample {
    std::uint32_t dataset = 0;  // index in config["datasets"]
    std::string id;
    std::string hash;          // of the sample's content and target: 32 hex characters
    Json target;               // Classification: the class as an integer
    std::string group;         // for the metrics per group: the name of the target's class; empty: none
    std::uint64_t bytes = 0;   // of the input, where the dataset was read: tells the cost; never written
    std::uint64_t tokens = 0;  // of the input, where batches are planned by tokens; never written
};

/// Items that are evaluated together. An item is sample_index * repeats + repeat.
struct ManifestBatch {
    std::vector<std::uint64_t> items;
};

struct Manifest {
    Json config;  // everything but samples that decides the bytes of the result: model digest, datasets, tasks,
                  // inference
    std::uint32_t repeats = 1;
    std::vector<ManifestSample> samples;
    std::vector<ManifestBatch> batches;

    std::uint64_t items() const { return samples.size() * repeats; }
};

/// SHA-256 over config, samples and batches: what makes two evaluations the same evaluation.
std::string identity_of(const Manifest& manifest);

/// Batches of consecutive samples of one dataset, `max_batch_size` each.
std::vector<ManifestBatch> plan_batches(const std::vector<ManifestSample>& samples, std::uint32_t repeats,
                                        std::int32_t max_batch_size);

/// Batches of one dataset's items, the longest samples first, of equally long ones the earlier first. A batch takes as
/// much as its longest sample times its size, for the others are padded to that: at most `max_batch_tokens`, unless one
/// sample alone has more; it then has a batch to itself. Nor has a batch more than `max_batch_size` items.
std::vector<ManifestBatch> plan_batches_by_tokens(const std::vector<ManifestSample>& samples, std::uint32_t repeats,
                                                  std::int32_t max_batch_size, std::int32_t max_batch_tokens);

/// JSON lines: a header with identity and counts, a line per sample, a line per batch.
std::string encode_manifest(const Manifest& manifest);

struct DecodedManifest {
    Manifest manifest;
    std::string identity;  // of it
};
/// Fails when a line is malformed, counts differ, ids repeat, a batch names an item twice or never, or the lines behind
/// the header are not to the byte those that its identity is of.
Result<DecodedManifest> decode_manifest(std::string_view bytes);

}  // namespace evaljob
