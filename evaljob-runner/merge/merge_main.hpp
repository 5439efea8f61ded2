// `evaljob-runner merge`: the merge Pod's only container. One thread.
#pragma once

#include "api/contract.hpp"

namespace evaljob {

/// Reads EVALJOB_SHARED_DIR, EVALJOB_NAME, what api/runner_environment.hpp has for a merge, and the run's spec; merges,
/// prints a summary on standard output and leaves the termination message. Returns the exit status.
int merge_main(const Environment& environment);

}  // namespace evaljob
