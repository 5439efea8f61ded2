// What a rank does once its engine is ready: leases in, records out, until there is no more work.
#pragma once

#include "api/result.hpp"
#include "evaljob-runner/launch/rank_counters.hpp"
#include "evaljob-runner/rank/evaluator.hpp"
#include "evaljob-runner/rank/rank_log.hpp"
#include "evaljob-runner/rank/session.hpp"

namespace evaljob {

/// Evaluates leases, has their records made durable beside it, and reports those that are. Everything evaluated has
/// been reported when it returns, unless its log fails.
Result<SessionEnd> evaluate_leases(Session& session, Evaluator& evaluator, RankLog& log, RankCounters& counters);

}  // namespace evaljob
