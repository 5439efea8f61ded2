// What GET /progress answers. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "evaljob-runner/coordinator/coordinator.hpp"

namespace evaljob {

/// `attempt`: of the node that says so.
std::string progress_json(const CoordinatorProgress& progress, std::int32_t attempt, const std::string& identity);

}  // namespace evaljob
