// One rank: takes leases, evaluates batches, appends their records to its own shard log, and reports them once they are
// durable.
#pragma once

#include "api/contract.hpp"

namespace evaljob {

/// Runs until the job has ended for this process; gives its exit status (api/exit_code.hpp).
int run_rank(const Environment& environment);

}  // namespace evaljob
