#include "local/gpu_division.hpp"

#include <filesystem>

namespace evaljob::local {

GpuShare divide_gpus(const std::vector<std::string>& visible, std::int32_t node_rank, std::int32_t num_nodes,
                     std::int32_t num_proc_per_node) {
    const auto needed = static_cast<std::int64_t>(num_nodes) * num_proc_per_node;
    if (num_nodes < 1 || node_rank < 0 || node_rank >= num_nodes) return {};
    if (visible.empty()) return {{}, "no GPU is visible: all nodes use the CPU"};
    if (static_cast<std::int64_t>(visible.size()) < needed)
        return {{},
                std::to_string(visible.size()) + " visible GPUs are fewer than the job's " + std::to_string(needed) +
                    " processes: all nodes use the CPU; lower numNodes or numProcPerNode to use the GPUs"};
    const auto share = visible.size() / static_cast<std::size_t>(num_nodes);
    GpuShare result;
    for (std::size_t i = 0; i < share; ++i)
        result.devices += (i == 0 ? "" : ",") + visible[static_cast<std::size_t>(node_rank) * share + i];
    return result;
}

std::vector<std::string> parse_devices(const std::string& text) {
    std::vector<std::string> devices;
    for (std::size_t start = 0; start < text.size();) {
        const auto comma = std::min(text.find(',', start), text.size());
        const auto first = text.find_first_not_of(" \t", start);
        const auto last = text.find_last_not_of(" \t", comma - 1);
        if (first >= comma || text[first] == '-') break;
        devices.push_back(text.substr(first, last - first + 1));
        start = comma + 1;
    }
    return devices;
}

std::vector<std::string> visible_gpus(const Environment& environment) {
    for (const auto* name : {"EVALJOB_TEST_GPUS", "CUDA_VISIBLE_DEVICES"}) {
        if (const auto found = environment.find(name); found != environment.end()) return parse_devices(found->second);
    }
    std::vector<std::string> devices;
    std::error_code ignored;  // no driver: no folder
    for ([[maybe_unused]] const auto& gpu : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", ignored))
        devices.push_back(std::to_string(devices.size()));
    return devices;
}

}  // namespace evaljob::local
