// A rank's shard log: where it lies, and how a lease's records get into it. The order is the promise: a Done exists
// only once its records are durable.
#pragma once

#include <variant>
#include <vector>

#include "api/contract.hpp"
#include "api/result.hpp"
#include "evaljob-runner/rank/evaluated_lease.hpp"
#include "evaljob-runner/rank/session_state.hpp"
#include "evaljob-runner/shard/shard_log.hpp"

namespace evaljob {

/// Of `header` the fields that the contract knows.
ShardHeader complete_header(const RankContract& contract, ShardHeader header);

/// Creates the rank's log in its output folder. A rank that was restarted in place finds its predecessor's log, and
/// writes another.
Result<ShardWriter> create_rank_log(const RankContract& contract, ShardHeader header);

/// Where the records of a rank become durable: a file of its own, or by node 0, in what it is sent.
using RankLog = std::variant<ShardWriter, ShardEncoder>;

/// Appends leases' records and, in a file of its own, makes them durable together. What to report of each.
Result<std::vector<Report>> record_leases(const std::vector<EvaluatedLease>& leases, RankLog& log);

}  // namespace evaljob
