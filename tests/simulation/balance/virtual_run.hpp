// A timed job under the real coordinator in virtual time: ranks that take exactly as long as they should, no network.
#pragma once

#include <cstdint>
#include <string>

#include "evaljob-runner/coordinator/coordinator.hpp"
#include "tests/simulation/balance/timed_job.hpp"

namespace evaljob::simulation {

struct VirtualRun {
    double makespan = 0;  // ms, until the last batch is done
    std::uint64_t leases = 0;
    std::uint64_t done_again = 0;    // batches that were finished by a second rank too
    std::uint64_t most_at_once = 0;  // live leases of one batch
    std::string violated;            // empty: nothing
    CoordinatorProgress progress;    // at the end
};

VirtualRun run_virtually(const TimedJob& job, Schedule schedule);

}  // namespace evaljob::simulation
