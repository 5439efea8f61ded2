#include "evaljob-runner/rank/rank_log.hpp"

#include <string>

#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

Result<void> append_end(ShardWriter& log, const BatchEnd& end) { return log.append(end); }

Result<void> append_end(ShardEncoder& log, const BatchEnd& end) {
    log.append(end);
    return {};
}

template <class Log>
Result<Done> append_lease(const Lease& lease, const std::vector<Record>& records, std::int64_t begin_us,
                          std::int64_t took_us, Log& log, std::uint32_t parts) {
    const BatchEnd end{
        lease.batch, lease.number, begin_us, begin_us + took_us, static_cast<std::uint32_t>(records.size()), parts};
    Done done{lease.number, lease.batch, end.samples, 0, took_us};
    for (const Record& record : records) {
        done.failed += record.failed() ? 1 : 0;
        if (auto appended = log.append(record); !appended) return tl::unexpected(appended.error());
    }
    if (auto appended = append_end(log, end); !appended) return tl::unexpected(appended.error());
    return done;
}

}  // namespace

ShardHeader complete_header(const RankContract& contract, ShardHeader header) {
    header.run_id = contract.run_id;
    header.rank = contract.rank;
    header.node_rank = contract.node_rank;
    header.local_rank = contract.local_rank;
    header.attempt = contract.attempt;
    return header;
}

Result<ShardWriter> create_rank_log(const RankContract& contract, ShardHeader header) {
    if (auto made = make_folders(contract.output_dir); !made) return tl::unexpected(made.error());
    header = complete_header(contract, std::move(header));
    for (int sequence = 0;; ++sequence) {
        auto log = ShardWriter::create(
            contract.output_dir + "/rank-" + std::to_string(contract.rank) + "." + std::to_string(sequence) + ".shard",
            header);
        if (log || log.error().reason != "AlreadyExists" || sequence > 10'000) return log;
    }
}

Result<Done> record_lease(const Lease& lease, const std::vector<Record>& records, std::int64_t begin_us,
                          std::int64_t took_us, ShardWriter& log, std::uint32_t parts) {
    auto done = append_lease(lease, records, begin_us, took_us, log, parts);
    if (!done) return done;
    if (auto committed = log.commit(); !committed) return tl::unexpected(committed.error());
    return done;
}

Result<Report> encode_lease(const Lease& lease, const std::vector<Record>& records, std::int64_t begin_us,
                            std::int64_t took_us, ShardEncoder& log, std::uint32_t parts) {
    const auto done = append_lease(lease, records, begin_us, took_us, log, parts);
    if (!done) return tl::unexpected(done.error());
    return Report{*done, log.take()};
}

}  // namespace evaljob
