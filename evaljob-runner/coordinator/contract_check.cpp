#include "evaljob-runner/coordinator/contract_check.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "api/printable.hpp"

namespace evaljob {

namespace {

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : ",") + name;
    return text.empty() ? "none" : text;
}

std::string differs(const Hello& hello, const char* variable, const std::string& has, const std::string& wants) {
    return std::string(variable) + ": " + describe(hello) + " has " + variable + "=" + has + ", the job's is " + wants +
           "; every process must get it from the operator, none may set it";
}

std::string against_job(const Hello& hello, const ExpectedContract& expected) {
    const RankContract& c = hello.contract;
    if (c.run_id != expected.run_id) return differs(hello, "EVALJOB_RUN_ID", c.run_id, expected.run_id);
    if (c.local_world_size != expected.local_world_size)
        return differs(hello, "LOCAL_WORLD_SIZE", std::to_string(c.local_world_size),
                       std::to_string(expected.local_world_size));
    // WORLD_SIZE and NNODES must fit each other, and may be those of another size of the job: it can be scaled.
    if (auto violation = contract_violation(c); !violation.empty()) return describe(hello) + ": " + violation;
    return "";
}

std::string of_device(const Hello& hello) {
    const DeviceChoice& device = hello.device;
    if (device.kind != "cuda") return "";
    const auto shown = static_cast<std::int64_t>(device.visible.size());
    const std::int64_t last = std::int64_t{device.index} + device.count - 1;
    if (device.index >= 0 && device.count >= 1 && last < shown) return "";
    const std::string wants = device.count == 1
                                  ? "device " + std::to_string(device.index)
                                  : "devices " + std::to_string(device.index) + " to " + std::to_string(last);
    return "LOCAL_RANK: " + describe(hello) + " wants " + wants + ", but node " +
           std::to_string(hello.contract.node_rank) + " shows " + std::to_string(shown) +
           " (CUDA_VISIBLE_DEVICES: " + joined(device.visible) + "); lower numProcPerNode or give the node more GPUs";
}

/// Those that it computes on; checked by of_device().
std::span<const std::string> devices_of(const Hello& hello) {
    if (hello.device.kind != "cuda") return {};
    return std::span(hello.device.visible)
        .subspan(static_cast<std::size_t>(hello.device.index), static_cast<std::size_t>(hello.device.count));
}

/// The first device that both would compute on; null when there is none. A UUID means the same device from every Pod;
/// an index only within one.
const std::string* shared_device(const Hello& a, const Hello& b) {
    for (const std::string& name : devices_of(a)) {
        const bool is_uuid = name.starts_with("GPU-") || name.starts_with("MIG-");
        if ((is_uuid || a.host == b.host) && std::ranges::find(devices_of(b), name) != devices_of(b).end())
            return &name;
    }
    return nullptr;
}

std::string against_other(const Hello& hello, const Hello& other) {
    if (hello.contract.rank == other.contract.rank) {
        return "RANK: two processes have RANK=" + std::to_string(hello.contract.rank) + ": " + describe(other) +
               " and " + describe(hello) + "; each process needs its own (RANK is not LOCAL_RANK)";
    }
    if (const std::string* shared = shared_device(hello, other)) {
        return "CUDA_VISIBLE_DEVICES: two processes would compute on device " + *shared + ": " + describe(other) +
               " and " + describe(hello) + "; a process's device is the one at its LOCAL_RANK";
    }
    return "";
}

}  // namespace

std::string describe(const Hello& hello) {
    const RankContract& c = hello.contract;
    return "pid " + std::to_string(hello.pid) + " on " + printable(hello.host) + " (RANK=" + std::to_string(c.rank) +
           " NODE_RANK=" + std::to_string(c.node_rank) + " LOCAL_RANK=" + std::to_string(c.local_rank) + ")";
}

bool supersedes(const Hello& newer, const Hello& older) {
    const RankContract& n = newer.contract;
    const RankContract& o = older.contract;
    const bool same_place = n.rank == o.rank && n.node_rank == o.node_rank && n.local_rank == o.local_rank;
    const bool same_process = newer.pid == older.pid && newer.host == older.host;
    return same_place && (same_process || std::pair(n.attempt, newer.restart) > std::pair(o.attempt, older.restart));
}

std::string contract_violation(const Hello& hello, const ExpectedContract& expected,
                               const std::vector<Hello>& connected) {
    // Two claims on one rank come first: when a process was given another's RANK, that names both.
    for (const Hello& other : connected) {
        if (hello.contract.rank != other.contract.rank || supersedes(hello, other)) continue;
        if (auto v = against_other(hello, other); !v.empty()) return v;
    }
    if (auto v = against_job(hello, expected); !v.empty()) return v;
    if (hello.device.kind != expected.device_kind) {
        return "spec.eval.inference.device: " + describe(hello) + " would compute on " + hello.device.kind +
               ", node 0 on " + expected.device_kind +
               "; say CPU or CUDA instead of Auto, or give every node the same devices";
    }
    if (auto v = of_device(hello); !v.empty()) return v;
    for (const Hello& other : connected) {
        if (supersedes(hello, other)) continue;
        if (auto v = against_other(hello, other); !v.empty()) return v;
    }
    return "";
}

}  // namespace evaljob
