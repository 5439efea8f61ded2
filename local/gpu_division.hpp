// Which GPUs a node of a job sees on a machine that all its nodes share. Pure, but for visible_gpus.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/contract.hpp"

namespace evaljob::local {

struct GpuShare {
    std::string devices;  // the value of CUDA_VISIBLE_DEVICES; empty: none, so that Auto means the CPU on every node
    std::string why;      // for a person, when the devices do not suffice; else empty
};

/// Node `node_rank`'s share: equal, contiguous and disjoint. When there are fewer devices than processes no node gets
/// one: half a job on GPUs would give results of two kinds.
GpuShare divide_gpus(const std::vector<std::string>& visible, std::int32_t node_rank, std::int32_t num_nodes,
                     std::int32_t num_proc_per_node);

/// Names in "GPU-a, 1,…", as CUDA reads CUDA_VISIBLE_DEVICES: what follows an invalid index (-1) does not count.
std::vector<std::string> parse_devices(const std::string& text);

/// The machine's GPUs as names for CUDA_VISIBLE_DEVICES: EVALJOB_TEST_GPUS (pretended ones, for tests only), else
/// CUDA_VISIBLE_DEVICES, else as many as the driver lists.
std::vector<std::string> visible_gpus(const Environment& environment);

}  // namespace evaljob::local
