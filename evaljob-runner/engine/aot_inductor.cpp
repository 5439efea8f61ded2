#include "evaljob-runner/engine/aot_inductor.hpp"

#include <ATen/ops/zeros.h>

#include <memory>
#include <stdexcept>
#include <utility>

#include "evaljob-runner/engine/device_inputs.hpp"
#include "evaljob-runner/engine/generating_engine.hpp"
#include "evaljob-runner/engine/graphed_forward.hpp"
#include "evaljob-runner/engine/package_archive.hpp"
#include "evaljob-runner/engine/package_network.hpp"
#include "evaljob-runner/engine/package_program.hpp"
#include "evaljob-runner/engine/torch_classifier.hpp"

namespace evaljob {

namespace {

/// Classifies.
class Package {
public:
    Package(PackageProgram program, c10::Device device, std::int64_t largest_batch)
        : program_(std::move(program)), device_(device), largest_batch_(largest_batch) {}

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
        std::vector<std::int64_t> shape = sample.vec();
        shape.insert(shape.begin(), samples);
        try {
            run(at::zeros(shape, at::TensorOptions(device_)));
            return true;
        } catch (const std::exception& error) {
            const auto refusal = refused_size(error.what(), "0");
            if (!refusal) throw;
            refusal_ = *refusal;
            return false;
        }
    }

    at::Tensor run(const at::Tensor& input) {
        auto outputs = program_.run({input});
        if (outputs.size() != 1)
            throw std::runtime_error("the package has " + std::to_string(outputs.size()) + " outputs instead of one");
        return outputs.front();
    }

    PackageProgram program_;
    c10::Device device_;
    std::int64_t largest_batch_;
    std::int64_t least_batch_ = 0;  // not known yet
    std::string refusal_;
};

Result<std::unique_ptr<Engine>> classifier(const PackageFiles& files, const DeviceChoice& device,
                                           const Inference& inference) {
    auto program = PackageProgram::load(files, "model", device);
    if (!program) return tl::unexpected(program.error());
    const c10::Device target = torch_device(device);
    const auto package = std::make_shared<Package>(std::move(*program), target, inference.max_batch_size);
    const auto forward = [package](const at::Tensor& input) { return package->forward(input); };
    return torch_classifier(with_graphs(forward, target, inference.cuda_graphs), target, device_inputs(target));
}

Result<std::unique_ptr<Engine>> generator(const PackageFiles& files, const DeviceChoice& device, int largest_batch) {
    auto model = described_model(files.description);
    if (!model) return fail("BadInput", "has " + model.error().message);
    auto network = package_network(files, *model, device, largest_batch);
    if (!network) return tl::unexpected(network.error());
    return generating_engine(std::move(*network), std::move(*model), torch_device(device).str());
}

Result<std::unique_ptr<Engine>> load(std::string_view bytes, const DeviceChoice& device, const Inference& inference) {
    const auto files = unpack_package(bytes);
    if (!files) return tl::unexpected(files.error());
    return files->description.empty() ? classifier(*files, device, inference)
                                      : generator(*files, device, inference.max_batch_size);
}

}  // namespace

Result<std::unique_ptr<Engine>> load_aot_inductor(std::string_view bytes, const std::string& path,
                                                  const DeviceChoice& device, const Inference& inference) {
    set_torch_threads(inference.threads_per_rank);
    auto engine = load(bytes, device, inference);
    if (engine || engine.error().reason != "BadInput") return engine;
    return fail("BadInput", "spec.eval.model.path: " + path + " " + engine.error().message);
}

}  // namespace evaljob
