#include "evaljob-runner/rank/rank_log.hpp"

#include <filesystem>
#include <string>
#include <utility>

#include "api/assert.hpp"
#include "evaljob-runner/coordinator/first_failures.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

constexpr std::size_t most_failure_bytes = max_said_bytes - 16;  // a letter that is cut may become longer ones

Result<void> append_end(ShardWriter& log, const BatchEnd& end) { return log.append(end); }

Result<void> append_end(ShardEncoder& log, const BatchEnd& end) {
    log.append(end);
    return {};
}

/// Why all of them failed; empty: not all of them, or not alike.
std::string common_failure(const std::vector<Record>& records) {
    std::string common;
    for (const Record& record : records) {
        if (!record.failed()) return "";
        const std::string why = record.error.substr(0, most_failure_bytes);
        if (!common.empty() && kind_of_failure(why) != kind_of_failure(common)) return "";
        if (common.empty()) common = why;
    }
    return common;
}

template <class Log>
Result<Done> append_lease(const EvaluatedLease& lease, Log& log) {
    const auto samples = static_cast<std::uint32_t>(lease.records.size());
    Done done{lease.lease.number, lease.lease.batch, samples, 0, lease.took_us, common_failure(lease.records)};
    EVALJOB_ASSERT(lease.took_us >= 0, "nothing is computed in less than no time");
    for (const Record& record : lease.records) {
        EVALJOB_ASSERT(record.lease == lease.lease.number,
                       "a record stands under the lease that it was computed under");
        done.failed += record.failed() ? 1 : 0;
        if (auto appended = log.append(record); !appended) return tl::unexpected(appended.error());
    }
    const BatchEnd end{lease.lease.batch, lease.lease.number, lease.begin_us, lease.begin_us + lease.took_us,
                       samples,           lease.parts};
    if (auto appended = append_end(log, end); !appended) return tl::unexpected(appended.error());
    return done;
}

Result<std::vector<Report>> record_all(const std::vector<EvaluatedLease>& leases, ShardWriter& log) {
    std::vector<Report> reports;
    for (const EvaluatedLease& lease : leases) {
        auto done = append_lease(lease, log);
        if (!done) return tl::unexpected(done.error());
        done->log = std::filesystem::path(log.path()).filename().string();
        reports.push_back({std::move(*done), ""});
    }
    if (auto committed = log.commit(); !committed) return tl::unexpected(committed.error());
    return reports;
}

Result<std::vector<Report>> record_all(const std::vector<EvaluatedLease>& leases, ShardEncoder& log) {
    std::vector<Report> reports;
    for (const EvaluatedLease& lease : leases) {
        const auto done = append_lease(lease, log);
        if (!done) return tl::unexpected(done.error());
        reports.push_back({*done, log.take()});
    }
    return reports;
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

Result<std::vector<Report>> record_leases(const std::vector<EvaluatedLease>& leases, RankLog& log) {
    return std::visit([&](auto& one) { return record_all(leases, one); }, log);
}

}  // namespace evaljob
