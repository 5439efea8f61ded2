#pragma once

#include <cstdint>
#include <memory>

#include "evaljob-runner/communicate/door.hpp"

namespace evaljob {

/// Whether this program has NCCL; without it a door is Unavailable.
extern const bool nccl_is_built;

/// For this GPU of the process. NCCL chooses the network; its own variables (NCCL_SOCKET_IFNAME, …) hold. Fails with
/// Unavailable.
Result<std::unique_ptr<Door>> open_nccl_door(int device, std::int64_t limit_ms);

}  // namespace evaljob
