#include "evaljob-runner/engine/aot_inductor.hpp"

#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>
#include <sys/utsname.h>
#include <torch/csrc/inductor/aoti_runner/model_container_runner.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <regex>
#include <sstream>

#include "evaljob-runner/engine/cuda_capability.hpp"
#include "evaljob-runner/engine/package_archive.hpp"
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

class Package {
public:
    Package(std::optional<TemporaryFolder> kernels, std::unique_ptr<Runner> runner, c10::Device device,
            std::int64_t largest_batch)
        : kernels_(std::move(kernels)), runner_(std::move(runner)), device_(device), largest_batch_(largest_batch) {}

    Result<at::Tensor> forward(const at::Tensor& input) {
        if (least_batch_ == 0) {
            if (auto taken = find_least_batch(input.sizes().slice(1)); !taken) return tl::unexpected(taken.error());
        }
        if (input.size(0) >= least_batch_) return run(input);
        // torch.export takes one sample for a constant unless told otherwise: the sample is given twice.
        std::vector<std::int64_t> shape = input.sizes().vec();
        shape[0] = least_batch_;
        return run(input.expand(shape).contiguous()).narrow(0, 0, 1);
    }

private:
    /// Batches are of 1 to largest_batch_ samples; whether the package takes them is found out before the first one.
    Result<void> find_least_batch(at::IntArrayRef sample) {
        const bool one = takes(1, sample);
        const bool largest = takes(largest_batch_, sample);
        if (largest && (one || takes(2, sample))) {
            least_batch_ = one ? 1 : 2;
            return {};
        }
        return fail("BadInput", "the package does not take every batch of 1 to " + std::to_string(largest_batch_) +
                                    " samples (spec.eval.inference.maxBatchSize): " + refusal_ +
                                    ". Export it with a dynamic batch, torch.export.export(…, dynamic_shapes=[{0: "
                                    "torch.export.Dim(\"batch\", max=N)}]) with N at least that");
    }

    bool takes(std::int64_t samples, at::IntArrayRef sample) {
        static const std::regex of_batch("dim value (is too (small|large) )?at 0, (expected[^,]*, but got: [0-9]+)");
        std::vector<std::int64_t> shape = sample.vec();
        shape.insert(shape.begin(), samples);
        try {
            run(at::zeros(shape, at::TensorOptions(device_)));
            return true;
        } catch (const std::exception& error) {
            std::cmatch match;
            if (!std::regex_search(error.what(), match, of_batch)) throw;
            refusal_ = match[3].str();
            return false;
        }
    }

    at::Tensor run(const at::Tensor& input) {
        auto outputs = calling_package([&] { return runner_->run({input}); });
        if (outputs.size() != 1)
            throw std::runtime_error("the package has " + std::to_string(outputs.size()) + " outputs instead of one");
        return outputs.front();
    }

    std::optional<TemporaryFolder> kernels_;
    std::unique_ptr<Runner> runner_;
    c10::Device device_;
    std::int64_t largest_batch_;
    std::int64_t least_batch_ = 0;  // not known yet
    std::string refusal_;
};

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

Result<std::unique_ptr<Runner>> open_runner(const PackageFiles& files, c10::Device device) {
    const auto& known = torch::inductor::getAOTIModelRunnerRegistry();
    const auto make = known.find(device.is_cuda() ? "cuda" : "cpu");
    if (make == known.end()) return fail("BadInput", "needs a runner that is built with CUDA's libtorch");
    // Otherwise a package reads what lies behind a batch that is smaller than it takes for granted.
    ::setenv("AOTI_RUNTIME_CHECK_INPUTS", "1", 1);
    try {
        return calling_package(
            [&] { return make->second(files.library, 1, device.str(), files.folder.path(), false); });
    } catch (const std::exception& error) {
        return fail("BadInput", "does not load; was it compiled with torch " + torch_version() +
                                    "? libtorch says: " + essence_of(error.what()));
    }
}

Result<std::unique_ptr<Engine>> load(std::string_view bytes, const DeviceChoice& device, int largest_batch) {
    auto files = unpack_package(bytes);
    if (!files) return tl::unexpected(files.error());
    if (auto fits = check_fit(files->metadata, device); !fits) return tl::unexpected(fits.error());
    const c10::Device target = torch_device(device);
    auto runner = open_runner(*files, target);
    if (!runner) return tl::unexpected(runner.error());
    // A shared object that is loaded needs its file no more. A GPU's kernels are read when they are first called.
    std::optional<TemporaryFolder> kernels;
    if (target.is_cuda()) kernels = std::move(files->folder);
    const auto package = std::make_shared<Package>(std::move(kernels), std::move(*runner), target, largest_batch);
    return torch_classifier([package](const at::Tensor& input) { return package->forward(input); }, target);
}

}  // namespace

Result<std::unique_ptr<Engine>> load_aot_inductor(std::string_view bytes, const std::string& path,
                                                  const DeviceChoice& device, int threads, int largest_batch) {
    set_torch_threads(threads);
    auto engine = load(bytes, device, largest_batch);
    if (engine || engine.error().reason != "BadInput") return engine;
    return fail("BadInput", "spec.eval.model.path: " + path + " " + engine.error().message);
}

}  // namespace evaljob
