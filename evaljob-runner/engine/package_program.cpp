#include "evaljob-runner/engine/package_program.hpp"

#include <sys/utsname.h>
#include <torch/csrc/inductor/aoti_runner/model_container_runner.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "evaljob-runner/engine/cuda_capability.hpp"
#include "evaljob-runner/engine/package_fit.hpp"
#include "evaljob-runner/engine/torch_classifier.hpp"
#include "evaljob-runner/engine/torch_words.hpp"

namespace evaljob {

namespace {

using Runner = torch::inductor::AOTIModelContainerRunner;

/// A package's code writes its messages to std::cerr and gives back a status alone.
class Said {
public:
    Said() : before_(std::cerr.rdbuf(text_.rdbuf())) {}
    ~Said() { std::cerr.rdbuf(before_); }
    Said(const Said&) = delete;
    Said& operator=(const Said&) = delete;
    std::string text() const { return text_.str(); }

private:
    std::ostringstream text_;
    std::streambuf* before_;
};

/// Calls into the package; what it throws has the package's own words.
template <class Call>
auto calling_package(Call call) {
    const Said said;
    try {
        return call();
    } catch (const std::exception& error) {
        const std::string words = said.text();
        throw std::runtime_error(words.empty() ? error.what() : words);
    }
}

std::set<std::string> cpu_flags() {
    std::ifstream cpuinfo("/proc/cpuinfo");
    for (std::string line; std::getline(cpuinfo, line);) {
        if (!line.starts_with("flags") && !line.starts_with("Features")) continue;
        std::istringstream words(line.substr(line.find(':') + 1));
        return std::set<std::string>(std::istream_iterator<std::string>(words), std::istream_iterator<std::string>());
    }
    return {};
}

Result<Machine> this_machine(const DeviceChoice& device) {
    utsname names{};
    ::uname(&names);
    Machine machine{"linux", names.machine, cpu_flags(), device.kind, 0};
    if (device.kind != "cuda") return machine;
    const auto capability = compute_capability(device.index);
    if (!capability) return tl::unexpected(capability.error());
    machine.compute_capability = *capability;
    return machine;
}

Result<void> check_fit(const std::string& metadata, const DeviceChoice& device) {
    const auto package = parse_package_metadata(metadata);
    if (!package) return tl::unexpected(package.error());
    const auto machine = this_machine(device);
    if (!machine) return tl::unexpected(machine.error());
    const auto why = misfit(*package, *machine);
    if (!why) return {};
    return fail("BadInput", "does not fit this machine: " + *why +
                                "; compile it anew on a machine of this kind, with torch " + torch_version() +
                                ": torch._inductor.aoti_compile_and_package");
}

Result<std::unique_ptr<Runner>> open_runner(const ProgramFiles& files, c10::Device device) {
    const auto& known = torch::inductor::getAOTIModelRunnerRegistry();
    const auto make = known.find(device.is_cuda() ? "cuda" : "cpu");
    if (make == known.end()) return fail("BadInput", "needs a runner that is built with CUDA's libtorch");
    // Otherwise a package reads what lies behind a batch that is smaller than it takes for granted.
    ::setenv("AOTI_RUNTIME_CHECK_INPUTS", "1", 1);
    try {
        // On one thread, as it is called: else a package waits for events, which a CUDA graph cannot hold.
        const bool one_thread = device.is_cuda();
        return calling_package([&] { return make->second(files.library, 1, device.str(), files.folder, one_thread); });
    } catch (const std::exception& error) {
        return fail("BadInput", "does not load; was it compiled with torch " + torch_version() +
                                    "? libtorch says: " + essence_of(error.what()));
    }
}

}  // namespace

Result<PackageProgram> PackageProgram::load(const PackageFiles& package, const std::string& program,
                                            const DeviceChoice& device) {
    const ProgramFiles& files = package.programs.at(program);
    if (auto fits = check_fit(files.metadata, device); !fits) return tl::unexpected(fits.error());
    const c10::Device target = torch_device(device);
    auto runner = open_runner(files, target);
    if (!runner) return tl::unexpected(runner.error());
    PackageProgram loaded;
    loaded.runner_ = std::move(*runner);
    if (target.is_cuda()) loaded.kernels_ = package.folder;  // a shared object that is loaded needs its file no more
    return loaded;
}

std::vector<at::Tensor> PackageProgram::run(const std::vector<at::Tensor>& inputs) {
    return calling_package([&] { return runner_->run(inputs); });
}

std::optional<std::string> refused_size(const std::string& words, const std::string& dimension) {
    const std::regex of_size("dim value (is too (small|large) )?at " + dimension +
                             ", (expected[^,]*, but got: [0-9]+)");
    std::smatch match;
    if (!std::regex_search(words, match, of_size)) return std::nullopt;
    return match[3].str();
}

}  // namespace evaljob
