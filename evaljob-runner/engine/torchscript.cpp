// Classification; whatever generates texts is torchscript_generation.cpp's.
#include "evaljob-runner/engine/torchscript.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/version.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "api/digest.hpp"
#include "evaljob-runner/engine/in_parts.hpp"
#include "evaljob-runner/engine/torch_precision.hpp"
#include "evaljob-runner/engine/torch_words.hpp"
#include "evaljob-runner/engine/torchscript_generation.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

constexpr std::uint64_t max_model_bytes = std::uint64_t{64} << 30;

tl::unexpected<Error> does_not_load(const std::string& path, const std::string& device, const std::string& why) {
    return fail("BadInput", "spec.eval.model.path: " + path + " is no TorchScript file that loads on " + device +
                                "; save it with torch.jit.save. libtorch says: " + essence_of(why));
}

Computed does_not_run(const Sample& sample, Precision precision, const std::string& why) {
    return thrown(why, "the model fails on samples of shape " + Json(sample.shape).dump() +
                           "; do spec.eval.model and the dataset belong together?" + doubt_about(precision));
}

/// The class of the highest score, the first of equal ones; its softmax probability as 6 digits.
Prediction classify(const float* scores, std::int64_t classes) {
    if (!std::all_of(scores, scores + classes, [](float s) { return std::isfinite(s); })) {
        return {nullptr, Json::object(), "the model's scores are not finite numbers"};
    }
    const float* best = std::max_element(scores, scores + classes);
    double sum = 0;
    for (std::int64_t i = 0; i < classes; ++i) sum += std::exp(static_cast<double>(scores[i]) - *best);
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.6f", 1.0 / sum);
    return {best - scores, {{"confidence", text.data()}}, ""};
}

class TorchScriptEngine : public Engine {
public:
    TorchScriptEngine(torch::jit::Module module, c10::Device device, Precision precision)
        : module_(std::move(module)), device_(device), precision_(precision) {}

    void begin(EngineBatch batch) override { batch_ = std::move(batch); }

    Result<EngineAnswer> next() override {
        auto answer =
            in_parts_.evaluate(batch_, [this](const Part& part) { return evaluate(part, batch_.dataset->task); });
        if (!answer) answer.error().message.insert(0, "dataset " + batch_.dataset->name + ": ");
        return answer;
    }

    std::string library() const override { return std::string("libtorch ") + TORCH_VERSION; }
    std::string device() const override { return device_.str(); }

private:
    Computed evaluate(const Part& part, const Task& task) {
        if (task.type != TaskType::Classification)
            return Error{"BadInput", std::string("task.type: a model that generates texts has an extra file ") +
                                         text_model_file + " (docs/runner.md); this one has none"};
        try {
            const c10::InferenceMode guard;
            const at::Tensor input = input_of(part).to(device_, scalar_type_of(precision_));
            const at::Tensor scores = module_.forward({input}).toTensor().to(at::kCPU, at::kFloat).contiguous();
            return as_computed(predictions_of(scores, part.size(), task));
        } catch (const c10::Error& error) {
            return does_not_run(part.front()->sample, precision_, error.what_without_backtrace());
        } catch (const std::exception& error) {  // TorchScript's own exceptions
            return does_not_run(part.front()->sample, precision_, error.what());
        }
    }

    static at::Tensor input_of(const Part& part) {
        std::vector<std::int64_t> shape = part.front()->sample.shape;
        shape.insert(shape.begin(), static_cast<std::int64_t>(part.size()));
        at::Tensor bytes = at::empty(shape, at::kByte);
        char* to = static_cast<char*>(bytes.data_ptr());
        for (const Request* request : part)
            to = std::copy(request->sample.bytes.begin(), request->sample.bytes.end(), to);
        return bytes.to(at::kFloat).div_(255.0);
    }

    static Result<std::vector<Prediction>> predictions_of(const at::Tensor& scores, std::size_t samples,
                                                          const Task& task) {
        const auto count = static_cast<std::int64_t>(samples);
        if (scores.dim() != 2 || scores.size(0) != count || scores.size(1) < 1) {
            return fail("BadInput", "the model gives an output of shape " + Json(scores.sizes().vec()).dump() +
                                        " for " + std::to_string(count) +
                                        " samples; Classification needs [samples, classes]");
        }
        const std::int64_t classes = scores.size(1);
        if (!task.classes.empty() && classes != static_cast<std::int64_t>(task.classes.size())) {
            return fail("BadInput", "task.classes: names " + std::to_string(task.classes.size()) +
                                        " classes, the model scores " + std::to_string(classes));
        }
        std::vector<Prediction> predictions;
        predictions.reserve(samples);
        for (std::int64_t i = 0; i < count; ++i) {
            predictions.push_back(classify(scores.const_data_ptr<float>() + i * classes, classes));
        }
        return predictions;
    }

    torch::jit::Module module_;
    c10::Device device_;
    Precision precision_;
    EngineBatch batch_;
    InParts in_parts_;
};

}  // namespace

Result<std::unique_ptr<Engine>> load_torchscript(const std::string& path, const std::string& sha256,
                                                 const DeviceChoice& device, const Inference& inference) {
    auto bytes = read_file(path, max_model_bytes);
    if (!bytes) return fail("BadInput", unreadable("spec.eval.model.path", bytes.error()));
    if (!sha256.empty() && sha256_hex(*bytes) != sha256) {
        return fail("BadInput", "spec.eval.model.path: " + path + " is not the file that the manifest names (sha256 " +
                                    sha256 + "); every node must see the same files");
    }
    try {
        at::set_num_threads(inference.threads_per_rank);
        at::set_num_interop_threads(1);
        // The optimising executor runs a graph differently the second time; a prediction must not depend on which
        // batch a process happened to see first.
        torch::jit::setGraphExecutorOptimize(false);
        const c10::Device target(
            device.kind == "cuda" ? at::kCUDA : at::kCPU,
            device.kind == "cuda" ? static_cast<c10::DeviceIndex>(device.index) : c10::DeviceIndex{-1});
        std::istringstream stream(std::move(*bytes));
        torch::jit::ExtraFilesMap extra{{text_model_file, ""}};
        torch::jit::Module module = torch::jit::load(stream, target, extra);
        module.eval();
        set_precision(module, inference.precision);
        if (!extra.at(text_model_file).empty()) {
            auto engine = generating_engine(module, extra.at(text_model_file), target.str(), inference.precision);
            if (!engine) return fail("BadInput", "spec.eval.model.path: " + path + ": " + engine.error().message);
            return engine;
        }
        return std::make_unique<TorchScriptEngine>(std::move(module), target, inference.precision);
    } catch (const c10::Error& error) {
        return does_not_load(path, device.kind, error.what_without_backtrace());
    } catch (const std::exception& error) {
        return does_not_load(path, device.kind, error.what());
    }
}

}  // namespace evaljob
