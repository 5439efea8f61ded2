// Which device a process computes on: the one at its LOCAL_RANK among those that its node shows it. Never RANK's.
#pragma once

#include <string>
#include <vector>

#include "api/contract.hpp"
#include "api/evaljob.hpp"
#include "evaljob-runner/coordinator/protocol.hpp"

namespace evaljob {

/// The devices that this node shows, in CUDA's order: CUDA_VISIBLE_DEVICES where it is set, else every GPU that the
/// driver lists. EVALJOB_TEST_GPUS (for tests only) names devices that are pretended; ranks then compute on the CPU.
std::vector<std::string> visible_devices(const Environment& environment);

/// Pure. Auto means CUDA when the node shows the devices that each of its processes wants, else CPU. OpenAI computes on
/// a server's devices, and the rank on none.
DeviceChoice choose_device(const Eval& eval, std::int32_t local_rank, std::int32_t local_world_size,
                           std::vector<std::string> visible);

/// True when the devices are pretended ones.
bool devices_are_pretended(const Environment& environment);

}  // namespace evaljob
