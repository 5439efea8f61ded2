// What GET /progress answers. Pure.
#pragma once

#include <string>

#include "evaljob-runner/coordinator/coordinator.hpp"

namespace evaljob {

std::string progress_json(const CoordinatorProgress& progress);

}  // namespace evaljob
