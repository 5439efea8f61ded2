#include "evaljob-runner/engine/generating_engine.hpp"

#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include <charconv>
#include <utility>

#include "evaljob-runner/engine/choosing.hpp"
#include "evaljob-runner/engine/engine_log.hpp"
#include "evaljob-runner/engine/engine_text.hpp"
#include "evaljob-runner/engine/generation.hpp"
#include "evaljob-runner/engine/in_parts.hpp"
#include "evaljob-runner/engine/text_module.hpp"
#include "evaljob-runner/engine/torch_words.hpp"

namespace evaljob {

namespace {

using Rows = std::vector<const Prompt*>;

double decimal(const std::string& text, double otherwise) {
    std::from_chars(text.data(), text.data() + text.size(), otherwise);
    return otherwise;
}

class GeneratingEngine : public Engine {
public:
    GeneratingEngine(TextModule module, std::optional<std::int32_t> refill_rows, std::string doubt)
        : module_(std::move(module)), refill_rows_(refill_rows), doubt_(std::move(doubt)) {}

    void prepare(EngineBatch& batch) override {
        for (Request& request : batch.requests) module_.decode_ahead(request);
    }

    void begin(EngineBatch batch) override { batch_ = std::move(batch); }

    Result<EngineAnswer> next() override {
        auto answer =
            in_parts_.evaluate(batch_, [this](const Part& part) { return evaluate(part, batch_.dataset->task); });
        if (!answer) answer.error().message.insert(0, "dataset " + batch_.dataset->name + ": ");
        return answer;
    }

    EngineUsage usage() const override { return usage_; }
    std::string library() const override { return std::string("libtorch ") + TORCH_VERSION; }
    std::string device() const override { return module_.device().str(); }

private:
    Computed evaluate(const Part& part, const Task& task) {
        try {
            const c10::InferenceMode guard;
            switch (task.type) {
                case TaskType::Generation:
                    return as_computed(generate(part, task));
                case TaskType::MultipleChoice:
                    return as_computed(choose(part));
                case TaskType::Classification:
                    break;
            }
            return Error{"BadInput", std::string("task.type: must be Generation or MultipleChoice, as the model has ") +
                                         text_model_file};
        } catch (const c10::Error& error) {
            return does_not_run(error.what_without_backtrace());
        } catch (const std::exception& error) {  // TorchScript's own exceptions, and a package's
            return does_not_run(error.what());
        }
    }

    Computed does_not_run(const std::string& why) const {
        return thrown(why, "the model fails on it; do spec.eval.model and the dataset belong together?" + doubt_);
    }

    Result<std::vector<Prediction>> generate(const Part& part, const Task& task) {
        const std::int64_t most = module_.model().max_new_tokens;
        const std::int64_t tokens = task.max_new_tokens ? *task.max_new_tokens : most;
        if (tokens > most)
            return fail("BadInput", "task.maxNewTokens: is " + std::to_string(tokens) + ", the model writes at most " +
                                        std::to_string(most));
        std::vector<std::uint32_t> seeds;
        const std::vector<Prompt> prompts = read_prompts(part, [&](std::size_t, const Request& request) {
            seeds.push_back(request.seed);
            return std::string();
        });
        const std::size_t rows = refill_rows_ ? static_cast<std::size_t>(*refill_rows_) : part.size();
        Generation generation(module_, {tokens, {decimal(task.temperature, 0), decimal(task.top_p, 1)}, task.stop},
                              rows);
        auto answers = in_order(prompts, [&](const Rows& taken) { return generation.predictions(taken, seeds); });
        usage_.completion_tokens += generation.tokens();
        return answers;
    }

    Result<std::vector<Prediction>> choose(const Part& part) {
        Choosing choosing(module_);
        const std::vector<Prompt> prompts = read_prompts(
            part, [&](std::size_t row, const Request& request) { return choosing.add(row, request.sample.input); });
        return in_order(prompts, [&](const Rows& rows) { return choosing.predictions(rows); });
    }

    /// Of all requests; `add(row, request)` is told of those that the model can take, and says why it cannot all the
    /// same.
    template <class Add>
    std::vector<Prompt> read_prompts(const Part& part, const Add& add) {
        std::vector<Prompt> prompts;
        std::size_t rows = 0;
        for (const Request* request : part) {
            prompts.push_back(module_.prompt_for(*request));
            if (prompts.back().error.empty()) prompts.back().error = add(rows, *request);
            rows += prompts.back().error.empty() ? 1 : 0;
        }
        return prompts;
    }

    /// Predictions of the prompts that the model takes, and failures of the others, in the requests' order.
    template <class Predict>
    Result<std::vector<Prediction>> in_order(const std::vector<Prompt>& prompts, const Predict& predict) {
        Rows rows;
        for (const Prompt& prompt : prompts)
            if (prompt.error.empty()) rows.push_back(&prompt);
        for (const Prompt* prompt : rows) usage_.prompt_tokens += prompt->tokens.size();
        auto predicted = rows.empty() ? Result<std::vector<Prediction>>(std::vector<Prediction>()) : predict(rows);
        if (!predicted) return tl::unexpected(predicted.error());
        std::vector<Prediction> predictions;
        auto next = predicted->begin();
        for (const Prompt& prompt : prompts)
            predictions.push_back(prompt.error.empty() ? std::move(*next++) : failed_prediction(prompt.error));
        return predictions;
    }

    TextModule module_;
    std::optional<std::int32_t> refill_rows_;
    std::string doubt_;
    EngineBatch batch_;
    InParts in_parts_;
    EngineUsage usage_;
};

}  // namespace

Result<TextModel> described_model(std::string_view description) {
    auto model = read_text_model(description);
    if (!model) model.error().message.insert(0, std::string(text_model_file) + " in it: ");
    return model;
}

Result<std::unique_ptr<Engine>> generating_engine(std::unique_ptr<TextNetwork> network, TextModel model,
                                                  const std::string& device, GenerationOptions options) {
    if (model.channels > 0 && model.height == 0 && !network->prepares())
        return fail("BadInput", std::string(text_model_file) +
                                    " in it: needs height and width of images, or the model a method prepare");
    if (options.refill_rows && !network->refills())
        return fail("BadInput",
                    "has no method refill, which spec.eval.inference.refillRows needs; export the model with one "
                    "(docs/runner.md), or leave refillRows out");
    if (const std::string doubts = doubts_of(model); !doubts.empty())
        log_warning(std::string(text_model_file) + " of the model: " + doubts);
    return std::make_unique<GeneratingEngine>(TextModule(std::move(network), std::move(model), c10::Device(device)),
                                              options.refill_rows, std::move(options.doubt));
}

}  // namespace evaljob
