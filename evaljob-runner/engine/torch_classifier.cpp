#include "evaljob-runner/engine/torch_classifier.hpp"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <torch/version.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "evaljob-runner/engine/in_parts.hpp"
#include "evaljob-runner/engine/score_text.hpp"
#include "evaljob-runner/engine/text_model.hpp"
#include "evaljob-runner/engine/torch_words.hpp"

namespace evaljob {

namespace {

Computed does_not_run(const Sample& sample, const std::string& doubt, const std::string& why) {
    return thrown(why, "the model fails on samples of shape " + Json(sample.shape).dump() +
                           "; do spec.eval.model and the dataset belong together?" + doubt);
}

/// The class of the highest score, the first of equal ones; its softmax probability as 6 digits.
Prediction classify(const float* scores, std::int64_t classes) {
    if (!std::all_of(scores, scores + classes, [](float s) { return std::isfinite(s); })) {
        return {nullptr, Json::object(), "the model's scores are not finite numbers"};
    }
    const float* best = std::max_element(scores, scores + classes);
    double sum = 0;
    for (std::int64_t i = 0; i < classes; ++i) sum += std::exp(static_cast<double>(scores[i]) - *best);
    return {best - scores, {{"confidence", six_digits(1.0 / sum)}}, ""};
}

class TorchClassifier : public Engine {
public:
    TorchClassifier(Forward forward, c10::Device device, std::unique_ptr<DeviceInputs> inputs, std::string doubt)
        : forward_(std::move(forward)), device_(device), inputs_(std::move(inputs)), doubt_(std::move(doubt)) {}

    void prepare(EngineBatch& batch) override {
        if (!inputs_ || batch.dataset->task.type != TaskType::Classification) return;
        Part whole;
        for (const Request& request : batch.requests) whole.push_back(&request);
        try {
            batch.prepared = inputs_->send(whole);
        } catch (const std::exception&) {  // next() copies it, or says why it cannot
        }
    }

    void begin(EngineBatch batch) override { batch_ = std::move(batch); }

    Result<EngineAnswer> next() override {
        auto answer =
            in_parts_.evaluate(batch_, [this](const Part& part) { return evaluate(part, batch_.dataset->task); });
        if (!answer) answer.error().message.insert(0, "dataset " + batch_.dataset->name + ": ");
        return answer;
    }

    std::string library() const override { return "libtorch " + torch_version(); }
    std::string device() const override { return device_.str(); }

private:
    Computed evaluate(const Part& part, const Task& task) {
        if (task.type != TaskType::Classification)
            return Error{"BadInput", std::string("task.type: a model that generates texts has an extra file ") +
                                         text_model_file + " (docs/runner.md); this one has none"};
        try {
            const c10::InferenceMode guard;
            auto scores = forward_(input_on_device(part));
            if (!scores) return std::move(scores.error());
            return as_computed(predictions_of(scores->to(at::kCPU, at::kFloat).contiguous(), part.size(), task));
        } catch (const c10::Error& error) {
            return does_not_run(part.front()->sample, doubt_, error.what_without_backtrace());
        } catch (const std::exception& error) {  // TorchScript's own exceptions
            return does_not_run(part.front()->sample, doubt_, error.what());
        }
    }

    /// The batch is computed whole first, as it was prepared; what is left of that goes in parts.
    at::Tensor input_on_device(const Part& part) {
        const auto sent = std::exchange(batch_.prepared, nullptr);
        return sent ? inputs_->arrived(*sent) : input_of(part).to(device_);
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

    Forward forward_;
    c10::Device device_;
    std::unique_ptr<DeviceInputs> inputs_;  // null: they lie where the model does
    std::string doubt_;
    EngineBatch batch_;
    InParts in_parts_;
};

}  // namespace

std::unique_ptr<Engine> torch_classifier(Forward forward, c10::Device device, std::unique_ptr<DeviceInputs> inputs,
                                         std::string doubt) {
    return std::make_unique<TorchClassifier>(std::move(forward), device, std::move(inputs), std::move(doubt));
}

void set_torch_threads(int threads) {
    at::set_num_threads(threads);
    [[maybe_unused]] static const bool once = (at::set_num_interop_threads(1), true);  // a second time is an error
}

c10::Device torch_device(const DeviceChoice& device) {
    if (device.kind == "cuda") return {at::kCUDA, static_cast<c10::DeviceIndex>(device.index)};
    return {at::kCPU, c10::DeviceIndex{-1}};
}

std::string torch_version() { return TORCH_VERSION; }

}  // namespace evaljob
