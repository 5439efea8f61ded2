#pragma once

#include <cstdint>
#include <vector>

#include "api/record.hpp"
#include "evaljob-runner/coordinator/protocol.hpp"

namespace evaljob {

/// A lease whose batch was evaluated.
struct EvaluatedLease {
    Lease lease;
    std::vector<Record> records;  // one per item of the batch, in the manifest's order
    std::int64_t begin_us = 0;    // Unix time
    std::int64_t took_us = 0;     // of computing
    std::uint32_t parts = 1;      // as in BatchEnd
};

}  // namespace evaljob
