// Loads; what a classifier does is torch_classifier.cpp's, whatever generates texts generating_engine.cpp's.
#include "evaljob-runner/engine/torchscript.hpp"

#include <c10/util/Exception.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include "evaljob-runner/engine/device_inputs.hpp"
#include "evaljob-runner/engine/generating_engine.hpp"
#include "evaljob-runner/engine/graphed_forward.hpp"
#include "evaljob-runner/engine/torch_bytes.hpp"
#include "evaljob-runner/engine/torch_classifier.hpp"
#include "evaljob-runner/engine/torch_precision.hpp"
#include "evaljob-runner/engine/torch_words.hpp"
#include "evaljob-runner/engine/torchscript_network.hpp"

namespace evaljob {

namespace {

tl::unexpected<Error> does_not_load(const std::string& path, const std::string& device, const std::string& why) {
    const std::string mend = path.ends_with(".pt2")
                                 ? "; a package of AOTInductor needs spec.eval.model.format: AOTInductor"
                                 : "; save it with torch.jit.save";
    return fail("BadInput", "spec.eval.model.path: " + path + " is no TorchScript file that loads on " + device + mend +
                                ". libtorch says: " + essence_of(why));
}

Result<std::unique_ptr<Engine>> generating(const torch::jit::Module& module, std::string_view description,
                                           c10::Device device, GenerationOptions options) {
    auto model = described_model(description);
    if (!model) return tl::unexpected(model.error());
    auto network = torchscript_network(module);
    if (!network) return tl::unexpected(network.error());
    return generating_engine(std::move(*network), std::move(*model), device.str(), std::move(options));
}

}  // namespace

Result<std::unique_ptr<Engine>> load_torchscript(std::string_view bytes, const std::string& path,
                                                 const DeviceChoice& device, const Inference& inference) {
    try {
        set_torch_threads(inference.threads_per_rank);
        // The optimising executor runs a graph differently the second time; a prediction must not depend on which
        // batch a process happened to see first.
        torch::jit::setGraphExecutorOptimize(false);
        const c10::Device target = torch_device(device);
        torch::jit::ExtraFilesMap extra{{text_model_file, ""}};
        torch::jit::Module module = torch::jit::load(std::make_shared<TorchBytes>(bytes), target, extra);
        module.eval();
        set_precision(module, inference.precision);
        if (!extra.at(text_model_file).empty()) {
            auto engine = generating(module, extra.at(text_model_file), target,
                                     {inference.refill_rows, doubt_about(inference.precision)});
            if (!engine) return fail("BadInput", "spec.eval.model.path: " + path + ": " + engine.error().message);
            return engine;
        }
        const auto forward = [module = std::move(module), type = scalar_type_of(inference.precision)](
                                 const at::Tensor& input) mutable -> Result<at::Tensor> {
            return module.forward({input.to(type)}).toTensor();
        };
        return torch_classifier(with_graphs(forward, target, inference.cuda_graphs), target, device_inputs(target),
                                doubt_about(inference.precision));
    } catch (const c10::Error& error) {
        return does_not_load(path, device.kind, error.what_without_backtrace());
    } catch (const std::exception& error) {
        return does_not_load(path, device.kind, error.what());
    }
}

}  // namespace evaljob
