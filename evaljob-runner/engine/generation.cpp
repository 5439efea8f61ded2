#include "evaljob-runner/engine/generation.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "api/utf8.hpp"
#include "evaljob-runner/engine/engine_text.hpp"
#include "evaljob-runner/engine/refilling.hpp"
#include "evaljob-runner/engine/score_text.hpp"

namespace evaljob {

Result<std::vector<Prediction>> Generation::predictions(const std::vector<const Prompt*>& prompts,
                                                        const std::vector<std::uint32_t>& seeds) {
    texts_.clear();
    for (const std::uint32_t seed : seeds) texts_.push_back({.seed = seed});
    const auto ended = [&](std::size_t sample) { return texts_[sample].ended; };
    Refilling rows(prompts.size(), rows_);
    const std::vector<std::size_t>& samples = rows.samples();
    const auto prompts_of = [&](const std::vector<std::size_t>& of) {
        std::vector<const Prompt*> chosen;
        for (const std::size_t sample : of) chosen.push_back(prompts[sample]);
        return chosen;
    };
    auto scores = module_.prefill(prompts_of(samples));
    if (scores) choose(*scores, samples);
    while (scores) {
        if (const auto refilled = rows.refill(ended); !refilled.empty()) {
            std::vector<std::size_t> begun;
            for (const std::size_t row : refilled) begun.push_back(samples[row]);
            scores = module_.refill(prompts_of(begun), refilled);
            if (scores) choose(*scores, begun);
            continue;
        }
        if (std::all_of(samples.begin(), samples.end(), ended)) break;
        scores = module_.step(last_tokens(samples));
        if (scores) choose(*scores, samples);
    }
    if (!scores) return tl::unexpected(scores.error());
    std::vector<Prediction> predictions;
    for (const Text& text : texts_) predictions.push_back(prediction_of(text));
    return predictions;
}

std::uint64_t Generation::tokens() const {
    std::uint64_t tokens = 0;
    for (const Text& text : texts_) tokens += text.place;
    return tokens;
}

void Generation::choose(const at::Tensor& scores, const std::vector<std::size_t>& samples) {
    if (limits_.sampling.temperature > 0) {
        const at::Tensor all = scores.to(at::kCPU).contiguous();
        const float* row = all.const_data_ptr<float>();
        for (const std::size_t sample : samples) {
            Text& text = texts_[sample];
            take(choose_token(row, all.size(1), limits_.sampling, random_at(text.seed, text.place)), text);
            row += all.size(1);
        }
        return;
    }
    // Where the scores are: of a large vocabulary only the winners need travel.
    const at::Tensor best = scores.argmax(1, true);  // the first of equal ones
    const at::Tensor tokens = best.to(at::kCPU).contiguous();
    const at::Tensor logs = scores.log_softmax(1).gather(1, best).to(at::kCPU).contiguous();
    for (std::size_t row = 0; row < samples.size(); ++row) {
        const Choice choice{tokens.const_data_ptr<std::int64_t>()[row], logs.const_data_ptr<float>()[row]};
        take(std::isfinite(choice.log_probability) ? std::optional(choice) : std::nullopt, texts_[samples[row]]);
    }
}

void Generation::take(const std::optional<Choice>& choice, Text& text) const {
    if (text.ended) return;
    if (!choice) {
        text.ended = text.failed = true;
        return;
    }
    ++text.place;
    text.last = choice->token;
    text.log_probability += choice->log_probability;
    const bool stops = module_.model().is_stop(choice->token);
    text.ended = stops || static_cast<std::int64_t>(text.place) >= limits_.new_tokens;
    if (stops) return;
    text.text += module_.tokenizer().decode({choice->token});
    for (const std::string& stop : limits_.stop) {
        const auto found = text.text.find(stop);
        if (found == std::string::npos) continue;
        text.text.resize(found);
        text.ended = true;
    }
}

/// Of texts that have ended, padding: they stay, so that what the others get does not depend on when they ended.
std::vector<Token> Generation::last_tokens(const std::vector<std::size_t>& samples) const {
    std::vector<Token> tokens;
    for (const std::size_t sample : samples)
        tokens.push_back(texts_[sample].ended ? module_.model().pad : texts_[sample].last);
    return tokens;
}

Prediction Generation::prediction_of(const Text& text) {
    if (text.failed) return failed_prediction(no_numbers);
    return {text_to_json(text.text), {{"confidence", six_digits(std::exp(text.log_probability))}}, ""};
}

}  // namespace evaljob
