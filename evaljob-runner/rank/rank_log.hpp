// A rank's shard log: where it lies, and how a lease's records get into it. The order is the promise: a Done exists
// only once its records are durable.
#pragma once

#include <cstdint>
#include <vector>

#include "api/contract.hpp"
#include "api/record.hpp"
#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/rank/session_state.hpp"
#include "evaljob-runner/shard/shard_log.hpp"

namespace evaljob {

/// Of `header` the fields that the contract knows.
ShardHeader complete_header(const RankContract& contract, ShardHeader header);

/// Creates the rank's log in its output folder. A rank that was restarted in place finds its predecessor's log, and
/// writes another.
Result<ShardWriter> create_rank_log(const RankContract& contract, ShardHeader header);

/// Appends a lease's records and makes them durable. `begin_us` is Unix time, `took_us` the time of computing, `parts`
/// as in BatchEnd.
Result<Done> record_lease(const Lease& lease, const std::vector<Record>& records, std::int64_t begin_us,
                          std::int64_t took_us, ShardWriter& log, std::uint32_t parts = 1);

/// The same where node 0 writes: with the bytes that it has to append.
Result<Report> encode_lease(const Lease& lease, const std::vector<Record>& records, std::int64_t begin_us,
                            std::int64_t took_us, ShardEncoder& log, std::uint32_t parts = 1);

}  // namespace evaljob
