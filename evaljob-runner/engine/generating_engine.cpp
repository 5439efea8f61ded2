#include "evaljob-runner/engine/generating_engine.hpp"

#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

#include "api/utf8.hpp"
#include "evaljob-runner/engine/choose_token.hpp"
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

std::string six_digits(double number) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.6f", number);
    return text.data();
}

Prediction failed(const std::string& why) { return {nullptr, Json::object(), why}; }

constexpr const char* no_numbers = "the model's scores are no numbers";

/// Generation: a text that grows.
struct Text {
    std::uint32_t seed = 0;
    Token last = 0;
    std::string text;
    double log_probability = 0;  // of all tokens, the one that ended it included
    bool ended = false;
    bool failed = false;
};

struct Limits {
    std::int64_t new_tokens = 0;
    Sampling sampling;
    std::vector<std::string> stop;
};

class Generation {
public:
    Generation(TextModule& module, Limits limits) : module_(module), limits_(std::move(limits)) {}

    Result<std::vector<Prediction>> predictions(const Rows& rows, std::vector<Text> texts) {
        texts_ = std::move(texts);
        auto scores = module_.prefill(rows);
        for (std::int64_t place = 0; scores; ++place) {
            choose(*scores, static_cast<std::uint32_t>(place));
            const bool all_ended = std::all_of(texts_.begin(), texts_.end(), [](const Text& t) { return t.ended; });
            if (all_ended || place + 1 == limits_.new_tokens) break;
            scores = module_.step(last_tokens());
        }
        if (!scores) return tl::unexpected(scores.error());
        std::vector<Prediction> predictions;
        for (const Text& text : texts_) predictions.push_back(prediction_of(text));
        return predictions;
    }

private:
    static Prediction prediction_of(const Text& text) {
        if (text.failed) return failed(no_numbers);
        return {text_to_json(text.text), {{"confidence", six_digits(std::exp(text.log_probability))}}, ""};
    }

    /// The next token of each text that has not ended.
    void choose(const at::Tensor& scores, std::uint32_t place) {
        if (limits_.sampling.temperature > 0) {
            const at::Tensor all = scores.to(at::kCPU).contiguous();
            const float* row = all.const_data_ptr<float>();
            for (Text& text : texts_) {
                take(choose_token(row, all.size(1), limits_.sampling, random_at(text.seed, place)), text);
                row += all.size(1);
            }
            return;
        }
        // Where the scores are: of a large vocabulary only the winners need travel.
        const at::Tensor best = scores.argmax(1, true);  // the first of equal ones
        const at::Tensor tokens = best.to(at::kCPU).contiguous();
        const at::Tensor logs = scores.log_softmax(1).gather(1, best).to(at::kCPU).contiguous();
        for (std::size_t i = 0; i < texts_.size(); ++i) {
            const Choice choice{tokens.const_data_ptr<std::int64_t>()[i], logs.const_data_ptr<float>()[i]};
            take(std::isfinite(choice.log_probability) ? std::optional(choice) : std::nullopt, texts_[i]);
        }
    }

    void take(const std::optional<Choice>& choice, Text& text) const {
        if (text.ended) return;
        if (!choice) {
            text.ended = text.failed = true;
            return;
        }
        text.last = choice->token;
        text.log_probability += choice->log_probability;
        text.ended = module_.model().is_stop(choice->token);
        if (text.ended) return;
        text.text += module_.tokenizer().decode({choice->token});
        for (const std::string& stop : limits_.stop) {
            const auto found = text.text.find(stop);
            if (found == std::string::npos) continue;
            text.text.resize(found);
            text.ended = true;
        }
    }

    /// Of texts that have ended, padding: they stay, so that what the others get does not depend on when they ended.
    std::vector<Token> last_tokens() const {
        std::vector<Token> tokens;
        for (const Text& text : texts_) tokens.push_back(text.ended ? module_.model().pad : text.last);
        return tokens;
    }

    TextModule& module_;
    Limits limits_;
    std::vector<Text> texts_;
};

/// MultipleChoice: one of a sample's options, as a row of its own.
struct Option {
    std::size_t row = 0;  // of the sample's prompt
    std::vector<Token> tokens;
    std::size_t bytes = 0;
    double log_probability = 0;
};

class Choosing {
public:
    explicit Choosing(TextModule& module) : module_(module) {}

    /// The options of the input; why they cannot be taken, or nothing.
    std::string add(std::size_t row, std::string_view input) {
        const std::vector<std::string> texts = options_of(input);
        if (texts.size() < 2) return "it has no two options, in columns A and B";
        std::vector<Option> options;
        for (const std::string& text : texts) {
            const auto said = prompt_of(module_.model().option, Json::object({{"option", text}}).dump());
            if (!said) return said.error().message;
            auto tokens = module_.tokenizer().encode(*said);
            if (!tokens) return tokens.error().message;
            if (tokens->empty() || static_cast<std::int64_t>(tokens->size()) > module_.model().max_new_tokens)
                return "an option of it has " + std::to_string(tokens->size()) + " tokens; the model takes 1 to " +
                       std::to_string(module_.model().max_new_tokens);
            options.push_back({row, std::move(*tokens), text.size(), 0});
        }
        options_.insert(options_.end(), options.begin(), options.end());
        return "";
    }

    Result<std::vector<Prediction>> predictions(const Rows& prompts) {
        Rows rows;
        std::size_t longest = 0;
        for (const Option& option : options_) {
            rows.push_back(prompts[option.row]);
            longest = std::max(longest, option.tokens.size());
        }
        auto scores = module_.prefill(rows);
        for (std::size_t place = 0; scores; ++place) {
            const std::vector<Token> tokens = tokens_at(place);
            add_up(scores->log_softmax(1), tokens, place);
            if (place + 1 == longest) break;
            scores = module_.step(tokens);
        }
        if (!scores) return tl::unexpected(scores.error());
        std::vector<Prediction> predictions;
        for (auto first = options_.begin(); first != options_.end();) {
            const auto last = std::find_if(first, options_.end(), [&](const auto& o) { return o.row != first->row; });
            predictions.push_back(prediction_of({first, last}));
            first = last;
        }
        return predictions;
    }

private:
    /// Padding where an option has no more.
    std::vector<Token> tokens_at(std::size_t place) const {
        std::vector<Token> tokens;
        for (const Option& option : options_)
            tokens.push_back(place < option.tokens.size() ? option.tokens[place] : module_.model().pad);
        return tokens;
    }

    void add_up(const at::Tensor& logs, const std::vector<Token>& tokens, std::size_t place) {
        const at::Tensor all = logs.to(at::kCPU).contiguous();
        const float* row = all.const_data_ptr<float>();
        for (std::size_t i = 0; i < options_.size(); ++i, row += all.size(1))
            if (place < options_[i].tokens.size()) options_[i].log_probability += row[tokens[i]];
    }

    static Prediction prediction_of(const std::vector<Option>& options) {
        if (!std::all_of(options.begin(), options.end(),
                         [](const auto& o) { return std::isfinite(o.log_probability); }))
            return failed(no_numbers);
        const auto letter_of = [&](const auto& of) {  // the first of equal ones
            const auto best = std::max_element(options.begin(), options.end(),
                                               [&](const auto& a, const auto& b) { return of(a) < of(b); });
            return std::string(1, static_cast<char>('A' + (best - options.begin())));
        };
        const auto whole = [](const Option& option) { return option.log_probability; };
        const auto per_byte = [](const Option& option) {
            return option.log_probability / static_cast<double>(std::max<std::size_t>(option.bytes, 1));
        };
        const std::string letter = letter_of(whole);
        const double best = options[static_cast<std::size_t>(letter.front() - 'A')].log_probability;
        double sum = 0;
        for (const Option& option : options) sum += std::exp(option.log_probability - best);
        return {letter, {{"confidence", six_digits(1 / sum)}, {"normalized", letter_of(per_byte)}}, ""};
    }

    TextModule& module_;
    std::vector<Option> options_;
};

class GeneratingEngine : public Engine {
public:
    GeneratingEngine(TextModule module, std::string doubt) : module_(std::move(module)), doubt_(std::move(doubt)) {}

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
        std::vector<Text> texts;
        const std::vector<Prompt> prompts = read_prompts(part, [&](std::size_t, const Request& request) {
            texts.push_back({.seed = request.seed});
            return std::string();
        });
        Generation generation(module_, {tokens, {decimal(task.temperature, 0), decimal(task.top_p, 1)}, task.stop});
        return in_order(prompts, [&](const Rows& rows) { return generation.predictions(rows, std::move(texts)); });
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
    static Result<std::vector<Prediction>> in_order(const std::vector<Prompt>& prompts, const Predict& predict) {
        Rows rows;
        for (const Prompt& prompt : prompts)
            if (prompt.error.empty()) rows.push_back(&prompt);
        auto predicted = rows.empty() ? Result<std::vector<Prediction>>(std::vector<Prediction>()) : predict(rows);
        if (!predicted) return tl::unexpected(predicted.error());
        std::vector<Prediction> predictions;
        auto next = predicted->begin();
        for (const Prompt& prompt : prompts)
            predictions.push_back(prompt.error.empty() ? std::move(*next++) : failed(prompt.error));
        return predictions;
    }

    TextModule module_;
    std::string doubt_;
    EngineBatch batch_;
    InParts in_parts_;
};

}  // namespace

Result<TextModel> described_model(std::string_view description) {
    auto model = read_text_model(description);
    if (!model) model.error().message.insert(0, std::string(text_model_file) + " in it: ");
    return model;
}

Result<std::unique_ptr<Engine>> generating_engine(std::unique_ptr<TextNetwork> network, TextModel model,
                                                  const std::string& device, std::string doubt) {
    if (model.channels > 0 && model.height == 0 && !network->prepares())
        return fail("BadInput", std::string(text_model_file) +
                                    " in it: needs height and width of images, or the model a method prepare");
    return std::make_unique<GeneratingEngine>(TextModule(std::move(network), std::move(model), c10::Device(device)),
                                              std::move(doubt));
}

}  // namespace evaljob
