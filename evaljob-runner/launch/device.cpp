#include "evaljob-runner/launch/device.hpp"

#include <algorithm>
#include <filesystem>
#include <sstream>

namespace evaljob {

namespace {

/// As CUDA reads its variable: what stands behind a -1 is hidden, so "-1" alone hides every device.
std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> names;
    std::istringstream stream(list);
    for (std::string name; std::getline(stream, name, ',') && name != "-1";) {
        if (!name.empty()) names.push_back(name);
    }
    return names;
}

std::size_t driver_devices() {
    std::error_code error;
    const std::filesystem::directory_iterator folder("/proc/driver/nvidia/gpus", error);
    return error ? 0 : static_cast<std::size_t>(std::distance(begin(folder), end(folder)));
}

}  // namespace

bool devices_are_pretended(const Environment& environment) { return environment.contains("EVALJOB_TEST_GPUS"); }

std::vector<std::string> visible_devices(const Environment& environment) {
    const auto visible = environment.find("CUDA_VISIBLE_DEVICES");
    if (devices_are_pretended(environment)) {
        return split(visible != environment.end() ? visible->second : environment.at("EVALJOB_TEST_GPUS"));
    }
    const std::size_t present = driver_devices();
    if (present == 0) return {};
    if (visible != environment.end()) return split(visible->second);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < present; ++i) names.push_back(std::to_string(i));
    return names;
}

DeviceChoice choose_device(const Eval& eval, std::int32_t local_rank, std::int32_t local_world_size,
                           std::vector<std::string> visible) {
    const Device wanted = eval.model.format == ModelFormat::OpenAI ? Device::CPU : eval.inference.device;
    const std::int32_t each = eval.inference.devices_per_rank.value_or(1);
    const auto needed = static_cast<std::size_t>(local_world_size) * static_cast<std::size_t>(each);
    const bool enough = !visible.empty() && visible.size() >= needed;
    if (wanted == Device::CUDA || (wanted == Device::Auto && enough))
        return {"cuda", local_rank * each, std::move(visible), each};
    return {"cpu", local_rank, {}};
}

}  // namespace evaljob
