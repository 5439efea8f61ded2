#include "evaljob-runner/merge/shard_reading.hpp"

#include <algorithm>
#include <limits>

#include "evaljob-runner/shard/shard_log.hpp"
#include "evaljob-runner/storage/files.hpp"
#include "evaljob-runner/storage/layout.hpp"

namespace evaljob {

namespace {

constexpr std::uint64_t all_bytes = std::numeric_limits<std::uint64_t>::max();

std::vector<DoneShard> listed_by(const DoneMarker& marker) {
    std::vector<DoneShard> shards = marker.shards;
    std::sort(shards.begin(), shards.end(), [](const DoneShard& a, const DoneShard& b) { return a.path < b.path; });
    return shards;
}

Result<std::vector<DoneShard>> found_below(const std::string& shared) {
    auto files = list_files(layout::runs(shared), ".shard");
    if (!files) return tl::unexpected(files.error());
    std::vector<DoneShard> shards;
    for (std::string& file : *files) shards.push_back({"runs/" + file, all_bytes, "", 0});
    return shards;
}

class Reading {
public:
    Reading(const std::string& shared, const Manifest& manifest, const std::string& identity)
        : shared_(shared), identity_(identity), prover_(manifest, identity) {}

    Result<void> read(const DoneShard& shard) {
        std::string path = shared_ + "/" + shard.path;
        ShardTrace trace{shard.path, {}, 0, {}};
        ShardVisitor visitor;
        visitor.header = [&](const ShardHeader& header) {
            trace.header = header;
            prover_.begin_shard(shard.path, header.identity);
        };
        visitor.record = [&](Record&& record) {
            prover_.add(record);
            ++trace.records;
        };
        visitor.batch_end = [&](const BatchEnd& end) { trace.batches.push_back(end); };
        auto summary = read_shard_file(path, shard.length, visitor);
        if (trace.header.identity == identity_) traces_.push_back(std::move(trace));
        if (!summary) return bad(summary.error());
        if (!shard.sha256.empty() && summary->sha256 != shard.sha256)
            damaged_.push_back(shard.path + ": its bytes have another digest than the done marker lists");
        return {};
    }

    ShardReading result() && { return {std::move(prover_).finish(), std::move(traces_), std::move(damaged_)}; }

private:
    /// A log that lacks or is damaged is a fault of the run; a volume that does not answer is none and may come back.
    Result<void> bad(const Error& error) {
        if (error.reason != "NotFound" && error.reason != "Damaged") return tl::unexpected(error);
        std::string message = error.message;  // names the file by its path here; a reader knows the shared folder
        if (message.starts_with(shared_ + "/")) message.erase(0, shared_.size() + 1);
        damaged_.push_back(message);
        return {};
    }

    const std::string& shared_;
    const std::string& identity_;
    Prover prover_;
    std::vector<ShardTrace> traces_;
    std::vector<std::string> damaged_;
};

}  // namespace

Result<ShardReading> read_shards(const std::string& shared, const Manifest& manifest, const std::string& identity,
                                 const std::optional<DoneMarker>& marker) {
    std::vector<DoneShard> shards;
    if (marker) {
        shards = listed_by(*marker);
    } else {
        auto found = found_below(shared);
        if (!found) return tl::unexpected(found.error());
        shards = std::move(*found);
    }
    Reading reading(shared, manifest, identity);
    for (const DoneShard& shard : shards)
        if (auto read = reading.read(shard); !read) return tl::unexpected(read.error());
    return std::move(reading).result();
}

Result<std::vector<ShardTrace>> read_traces(const std::string& shared) {
    const auto found = found_below(shared);
    if (!found) return tl::unexpected(found.error());
    std::vector<ShardTrace> traces;
    for (const DoneShard& shard : *found) {
        ShardTrace trace;
        trace.path = shard.path;
        ShardVisitor visitor;
        visitor.batch_end = [&](const BatchEnd& end) { trace.batches.push_back(end); };
        auto summary = read_shard_file(shared + "/" + shard.path, all_bytes, visitor);
        if (!summary) continue;
        trace.header = std::move(summary->header);
        trace.records = summary->records;
        traces.push_back(std::move(trace));
    }
    return traces;
}

}  // namespace evaljob
