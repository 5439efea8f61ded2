// The output of an image of the user's own, read off the volume.
#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "api/names.hpp"
#include "evaljob-runner/manifest/dataset_samples.hpp"
#include "evaljob-runner/merge/findings.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

constexpr const char* suffix = ".jsonl";
constexpr std::uint64_t max_output_file_bytes = std::uint64_t{4} << 30U;

std::string folder_of(const ImageOutput& image, std::int32_t node) {
    return names::output_dir("", image.run_id, node, image.attempt).substr(1);  // relative to the shared folder
}

/// The files of all nodes: node by node, by their names. Without an expectation a node that wrote none is a fault:
/// nobody else would notice that what it evaluated is not there.
Result<ImageReading> read_output(const MergeOptions& options) {
    const ImageOutput& image = *options.image;
    ImageRecords records(image.expect ? &image.expect->task : nullptr);
    std::vector<std::string> silent;
    for (std::int32_t node = 0; node < image.nodes; ++node) {
        const std::string folder = folder_of(image, node);
        const auto files = list_files(options.shared_dir + "/" + folder, suffix);
        if (!files) return tl::unexpected(files.error());
        for (const std::string& name : *files) {
            const std::string path = folder + "/" + name;
            const auto bytes = read_file(options.shared_dir + "/" + path, max_output_file_bytes);
            if (!bytes) return tl::unexpected(bytes.error());
            records.add_file(path, *bytes);
        }
        if (files->empty() && !image.expect)
            silent.emplace_back("node " + std::to_string(node) + " wrote no .jsonl file to its EVALJOB_OUTPUT_DIR (" +
                                folder +
                                "): have it write one, empty if it has nothing to say, or name what is expected in "
                                "merge.expect");
    }
    ImageReading reading = std::move(records).finish();
    reading.damaged.insert(reading.damaged.begin(), silent.begin(), silent.end());
    if (reading.records.empty() && silent.empty() && !image.expect)
        reading.damaged.push_back("no file holds a record: nothing was evaluated");
    return reading;
}

/// Integers in front, by their value; then texts, by their bytes.
std::tuple<bool, std::int64_t, std::string_view> place_of(const std::string& id) {
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(id.data(), id.data() + id.size(), number);
    const bool is_text = failure != std::errc() || end != id.data() + id.size();
    return {is_text, is_text ? 0 : number, id};
}

/// Without an expectation the samples are those that were found.
Manifest found_samples(const ImageReading& reading) {
    Manifest manifest;
    manifest.config = {{"completeness", "Unknown"}};
    for (const ImageRecord& read : reading.records) manifest.samples.push_back({0, read.record.id, "", Json(), ""});
    std::sort(manifest.samples.begin(), manifest.samples.end(),
              [](const ManifestSample& a, const ManifestSample& b) { return place_of(a.id) < place_of(b.id); });
    return manifest;
}

Result<Manifest> expected_samples(const ImageOutput& image) {
    Manifest manifest;
    auto config = add_samples(*image.expect, 0, image.storage_root, manifest);
    if (!config) return fail("BadInput", "merge.expect: " + config.error().message);
    manifest.config = {{"datasets", Json::array({std::move(*config)})}};
    return manifest;
}

/// The reading keeps one record a sample, and knows of the others; so the proof does too.
Proof prove(const Manifest& manifest, const std::string& identity, const ImageReading& reading) {
    Prover prover(manifest, identity);
    for (const ImageRecord& read : reading.records) {
        prover.begin_shard(read.place, identity);
        prover.add(read.record);
    }
    Proof proof = std::move(prover).finish();
    proof.records = reading.lines;
    proof.extra_records = reading.lines - reading.records.size();
    proof.repeated = reading.repeated;
    proof.conflicting = reading.conflicting;
    return proof;
}

}  // namespace

Result<Findings> find_in_image_output(const MergeOptions& options) {
    Findings f;
    f.is_image = true;
    f.completeness_unknown = !options.image->expect;
    if (options.image->expect) {
        auto manifest = expected_samples(*options.image);
        if (!manifest) return tl::unexpected(manifest.error());
        f.manifest = std::move(*manifest);
    }
    auto reading = read_output(options);
    if (!reading) return tl::unexpected(reading.error());
    if (f.completeness_unknown) f.manifest = found_samples(*reading);
    f.identity = identity_of(f.manifest);
    f.reading.proof = prove(f.manifest, f.identity, *reading);
    f.reading.damaged = std::move(reading->damaged);
    f.files = std::move(reading->files);
    return f;
}

}  // namespace evaljob
