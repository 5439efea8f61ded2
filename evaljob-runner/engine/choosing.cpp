#include "evaljob-runner/engine/choosing.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "evaljob-runner/engine/engine_text.hpp"
#include "evaljob-runner/engine/score_text.hpp"

namespace evaljob {

std::string Choosing::add(std::size_t row, std::string_view input) {
    const std::vector<LetteredOption> lettered = options_of(input);
    if (lettered.size() < 2) return "it has no two options, in columns A, B, …";
    std::vector<Option> options;
    for (const auto& [letter, text] : lettered) {
        const auto said = prompt_of(module_.model().option, Json::object({{"option", text}}).dump());
        if (!said) return said.error().message;
        auto tokens = module_.tokenizer().encode(*said);
        if (!tokens) return tokens.error().message;
        if (tokens->empty() || static_cast<std::int64_t>(tokens->size()) > module_.model().max_new_tokens)
            return "an option of it has " + std::to_string(tokens->size()) + " tokens; the model takes 1 to " +
                   std::to_string(module_.model().max_new_tokens);
        options.push_back({row, letter, std::move(*tokens), text.size(), 0});
    }
    options_.insert(options_.end(), options.begin(), options.end());
    return "";
}

Result<std::vector<Prediction>> Choosing::predictions(const std::vector<const Prompt*>& prompts) {
    std::vector<const Prompt*> rows;
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

std::vector<Token> Choosing::tokens_at(std::size_t place) const {
    std::vector<Token> tokens;
    for (const Option& option : options_)
        tokens.push_back(place < option.tokens.size() ? option.tokens[place] : module_.model().pad);
    return tokens;
}

void Choosing::add_up(const at::Tensor& logs, const std::vector<Token>& tokens, std::size_t place) {
    const at::Tensor all = logs.to(at::kCPU).contiguous();
    const float* row = all.const_data_ptr<float>();
    for (std::size_t i = 0; i < options_.size(); ++i, row += all.size(1))
        if (place < options_[i].tokens.size()) options_[i].log_probability += row[tokens[i]];
}

Prediction Choosing::prediction_of(const std::vector<Option>& options) {
    if (!std::all_of(options.begin(), options.end(), [](const auto& o) { return std::isfinite(o.log_probability); }))
        return failed_prediction(no_numbers);
    const auto likeliest = [&](const auto& of) {  // the first of equal ones
        return *std::max_element(options.begin(), options.end(),
                                 [&](const auto& a, const auto& b) { return of(a) < of(b); });
    };
    const auto whole = [](const Option& option) { return option.log_probability; };
    const auto per_byte = [](const Option& option) {
        return option.log_probability / static_cast<double>(std::max<std::size_t>(option.bytes, 1));
    };
    const Option best = likeliest(whole);
    double sum = 0;
    for (const Option& option : options) sum += std::exp(option.log_probability - best.log_probability);
    const auto word = [](const Option& option) { return std::string(1, option.letter); };
    return {word(best), {{"confidence", six_digits(1 / sum)}, {"normalized", word(likeliest(per_byte))}}, ""};
}

}  // namespace evaljob
