// Processes of a job as they announce themselves, right in every way; tests spoil what they need.
#pragma once

#include <string>
#include <vector>

#include "evaljob-runner/coordinator/contract_check.hpp"

namespace evaljob::test {

inline constexpr const char* run_token = "secret";

inline ExpectedContract expected_of(std::int32_t nodes, std::int32_t procs, const std::string& device_kind = "cpu") {
    return {"fm-1b4e28ba", nodes * procs, procs, device_kind};
}

/// Process `local` of node `node` in a job of `nodes` × `procs`, on the CPU.
inline Hello hello_of(std::int32_t nodes, std::int32_t procs, std::int32_t node, std::int32_t local) {
    Hello hello;
    hello.token = run_token;
    hello.contract.run_id = "fm-1b4e28ba";
    hello.contract.rank = node * procs + local;
    hello.contract.local_rank = local;
    hello.contract.node_rank = node;
    hello.contract.world_size = nodes * procs;
    hello.contract.local_world_size = procs;
    hello.contract.num_nodes = nodes;
    hello.contract.master_port = 29500;
    hello.device = {"cpu", local, {}};
    hello.host = "fm-" + std::to_string(node);
    hello.pid = 100 * (node + 1) + local;
    return hello;
}

/// The same on GPUs: every node shows as many as it has processes, each by its own UUID.
inline Hello cuda_hello_of(std::int32_t nodes, std::int32_t procs, std::int32_t node, std::int32_t local) {
    Hello hello = hello_of(nodes, procs, node, local);
    hello.device = {"cuda", local, {}};
    for (std::int32_t i = 0; i < procs; ++i)
        hello.device.visible.push_back("GPU-" + std::to_string(node) + "-" + std::to_string(i));
    return hello;
}

}  // namespace evaljob::test
