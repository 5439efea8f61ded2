#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "evaljob-runner/communicate/door.hpp"

namespace evaljob {

/// Whether this program has Gloo; without it a door is Unavailable.
extern const bool gloo_is_built;

/// On this address of this machine. Fails with Unavailable.
Result<std::unique_ptr<Door>> open_gloo_door(const std::string& address, std::int64_t limit_ms);

}  // namespace evaljob
