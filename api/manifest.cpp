#include "api/manifest.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "api/canonical_json.hpp"
#include "api/digest.hpp"
#include "api/json_text.hpp"
#include "api/sample_index.hpp"

namespace evaljob {

namespace {

constexpr int format_version = 1;
constexpr std::size_t longest_line = std::size_t{64} << 20U;  // parsed, a line takes many times its length

std::string line_of(const Json& value) {
    std::string line;
    append_json(line, value);
    return line + "\n";
}

void append_line(std::string& text, const ManifestSample& s) {
    text += '[';
    text += std::to_string(s.dataset);
    append_json_string(text += ',', s.id);
    append_json_string(text += ',', s.hash);
    append_json(text += ',', s.target);
    append_json_string(text += ',', s.group);
    text += "]\n";
}

void append_line(std::string& text, const ManifestBatch& b) {
    text += '[';
    for (const std::uint64_t& item : b.items) {
        if (&item != b.items.data()) text += ',';
        text += std::to_string(item);
    }
    text += "]\n";
}

/// What follows the header.
std::string lines_of(const Manifest& m) {
    std::string text;
    for (const auto& sample : m.samples) append_line(text, sample);
    for (const auto& batch : m.batches) append_line(text, batch);
    return text;
}

Json identity_header(const Manifest& m) {
    return {{"format", format_version}, {"config", m.config}, {"repeats", m.repeats}};
}

std::string identity_of(const Json& header, std::string_view lines) {
    Sha256 digest;
    digest.update(line_of(header));
    digest.update(lines);
    return digest.hex();
}

tl::unexpected<Error> damaged(std::size_t line, const std::string& what) {
    return fail("Damaged", "manifest line " + std::to_string(line) + ": " + what);
}

tl::unexpected<Error> too_long(std::size_t line) { return damaged(line, "is longer than 64 MiB"); }

/// Lines of a text, each ended by a newline; a last one without is no line but damage.
class Lines {
public:
    explicit Lines(std::string_view text) : rest_(text) {}
    bool next(std::string_view& line) {
        const auto end = rest_.find('\n');
        if (end == std::string_view::npos) return false;
        line = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        ++number_;
        return true;
    }
    std::size_t number() const { return number_; }
    bool empty() const { return rest_.empty(); }
    std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
    std::size_t number_ = 0;
};

Result<ManifestSample> read_sample(std::string_view line, std::size_t datasets) {
    ArrayItems items(line);
    ManifestSample sample;
    if (!read_item(items.next(), sample.dataset) || !read_item(items.next(), sample.id) ||
        !read_item(items.next(), sample.hash) || !read_item(items.next(), sample.target) ||
        !read_item(items.next(), sample.group) || !items.complete()) {
        return fail("Damaged", "is not [dataset, id, hash, target, group]");
    }
    if (sample.dataset >= datasets) return fail("Damaged", "names a dataset that config does not have");
    return sample;
}

Result<ManifestBatch> read_batch(std::string_view line, std::vector<bool>& seen) {
    ArrayItems items(line);
    ManifestBatch batch;
    while (const auto next = items.next()) {
        std::uint64_t item = 0;
        if (!read_item(next, item) || item >= seen.size()) return fail("Damaged", "names an item that does not exist");
        if (seen[item])
            return fail("Damaged", "names item " + std::to_string(item) + ", which is in another batch already");
        seen[item] = true;
        batch.items.push_back(item);
    }
    if (!items.complete() || batch.items.empty()) return fail("Damaged", "is not an array of items");
    return batch;
}

struct Header {
    std::string identity;
    std::uint64_t samples = 0;
    std::uint64_t batches = 0;
};

Result<Header> read_header(std::string_view line, Manifest& manifest) {
    const Json fields = parse_json(line);
    const auto is_count = [&](const char* key) { return fields.contains(key) && fields[key].is_number_unsigned(); };
    if (!fields.is_object() || !is_count("format") || !is_count("repeats") || !is_count("samples") ||
        !is_count("batches") || !fields.contains("identity") || !fields["identity"].is_string() ||
        !fields.contains("config") || !fields["config"].is_object()) {
        return damaged(1, "is no manifest header");
    }
    if (fields["format"] != format_version) {
        return damaged(1, "is of format " + fields["format"].dump() + "; this program reads format 1");
    }
    const auto repeats = fields["repeats"].get<std::uint64_t>();
    if (repeats < 1 || repeats > 1'000'000) return damaged(1, "repeats is out of range");
    manifest.repeats = static_cast<std::uint32_t>(repeats);
    manifest.config = fields["config"];
    return Header{fields["identity"].get<std::string>(), fields["samples"].get<std::uint64_t>(),
                  fields["batches"].get<std::uint64_t>()};
}

Result<void> read_samples(Lines& lines, std::uint64_t count, Manifest& manifest) {
    const auto found = manifest.config.find("datasets");
    const std::size_t datasets = found != manifest.config.end() && found->is_array() ? found->size() : 0;
    std::string_view line;
    for (std::uint64_t i = 0; i < count; ++i) {
        if (!lines.next(line)) return damaged(lines.number() + 1, "is missing: fewer samples than the header says");
        if (line.size() > longest_line) return too_long(lines.number());
        auto sample = read_sample(line, datasets);
        if (!sample) return damaged(lines.number(), sample.error().message);
        manifest.samples.push_back(std::move(*sample));
    }
    const auto repeated = SampleIndex(manifest.samples).repeated();
    if (!repeated) return {};
    return damaged(*repeated + 2, "repeats the sample id " + manifest.samples[*repeated].id);
}

Result<void> read_batches(Lines& lines, std::uint64_t count, Manifest& manifest) {
    // Every item stands in some batch's line with at least a digit: so much and no more is worth memory.
    if (manifest.items() > lines.rest().size())
        return damaged(1, "repeats is out of range for the batches that follow");
    std::vector<bool> seen(manifest.items());
    std::string_view line;
    for (std::uint64_t i = 0; i < count; ++i) {
        if (!lines.next(line)) return damaged(lines.number() + 1, "is missing: fewer batches than the header says");
        if (line.size() > longest_line) return too_long(lines.number());
        auto batch = read_batch(line, seen);
        if (!batch) return damaged(lines.number(), batch.error().message);
        manifest.batches.push_back(std::move(*batch));
    }
    const auto missing = std::find(seen.begin(), seen.end(), false);
    if (missing != seen.end()) {
        return fail("Damaged", "manifest: item " + std::to_string(missing - seen.begin()) + " is in no batch");
    }
    return {};
}

}  // namespace

std::string identity_of(const Manifest& manifest) { return identity_of(identity_header(manifest), lines_of(manifest)); }

std::vector<ManifestBatch> plan_batches(const std::vector<ManifestSample>& samples, std::uint32_t repeats,
                                        std::int32_t max_batch_size) {
    std::vector<ManifestBatch> batches;
    const auto limit = static_cast<std::size_t>(max_batch_size);
    std::uint32_t dataset = 0;
    for (std::uint64_t sample = 0; sample < samples.size(); ++sample) {
        for (std::uint32_t repeat = 0; repeat < repeats; ++repeat) {
            if (batches.empty() || batches.back().items.size() == limit || samples[sample].dataset != dataset) {
                batches.emplace_back();
                dataset = samples[sample].dataset;
            }
            batches.back().items.push_back(sample * repeats + repeat);
        }
    }
    return batches;
}

std::vector<ManifestBatch> plan_batches_by_tokens(const std::vector<ManifestSample>& samples, std::uint32_t repeats,
                                                  std::int32_t max_batch_size, std::int32_t max_batch_tokens) {
    const auto most_items = static_cast<std::uint64_t>(max_batch_size);
    const auto most_tokens = static_cast<std::uint64_t>(max_batch_tokens);
    std::vector<std::uint64_t> order(samples.size());
    std::iota(order.begin(), order.end(), std::uint64_t{0});
    std::vector<ManifestBatch> batches;
    for (auto first = order.begin(); first != order.end();) {
        const auto last = std::find_if(first, order.end(), [&](std::uint64_t sample) {
            return samples[sample].dataset != samples[*first].dataset;
        });
        std::stable_sort(first, last,
                         [&](std::uint64_t a, std::uint64_t b) { return samples[a].tokens > samples[b].tokens; });
        std::uint64_t room = 0;  // of the last batch; a new one has as much as its first, longest sample leaves it
        for (; first != last; ++first) {
            for (std::uint32_t repeat = 0; repeat < repeats; ++repeat) {
                if (room == 0) {
                    batches.emplace_back();
                    const std::uint64_t longest = std::max<std::uint64_t>(samples[*first].tokens, 1);
                    room = std::clamp<std::uint64_t>(most_tokens / longest, 1, most_items);
                }
                batches.back().items.push_back(*first * repeats + repeat);
                --room;
            }
        }
    }
    return batches;
}

std::string encode_manifest(const Manifest& manifest) {
    const std::string lines = lines_of(manifest);
    Json header = identity_header(manifest);
    header["identity"] = identity_of(header, lines);
    header["samples"] = manifest.samples.size();
    header["batches"] = manifest.batches.size();
    return line_of(header) + lines;
}

Result<DecodedManifest> decode_manifest(std::string_view bytes) {
    Lines lines(bytes);
    std::string_view line;
    Manifest manifest;
    if (!lines.next(line)) return damaged(1, "is missing: the file is empty or cut");
    if (line.size() > longest_line) return too_long(1);
    auto header = read_header(line, manifest);
    if (!header) return tl::unexpected(header.error());
    const std::string_view behind_header = lines.rest();
    if (auto read = read_samples(lines, header->samples, manifest); !read) return tl::unexpected(read.error());
    if (auto read = read_batches(lines, header->batches, manifest); !read) return tl::unexpected(read.error());
    if (!lines.empty()) return damaged(lines.number() + 1, "is one too many");
    if (identity_of(identity_header(manifest), behind_header) != header->identity) {
        return fail("Damaged", "manifest: the content does not have the identity that its header states");
    }
    return DecodedManifest{std::move(manifest), std::move(header->identity)};
}

}  // namespace evaljob
