#include "evaljob-runner/engine/openai/fit.hpp"

#include <algorithm>
#include <array>

namespace evaljob::openai {

namespace {

std::string lower(std::string_view text) {
    std::string small(text);
    std::transform(small.begin(), small.end(), small.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return small;
}

bool is_of_a_name(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

/// As a word of its own: "max_tokens" is not in "max_tokens_per_day".
bool names(std::string_view text, std::string_view word) {
    for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        if ((at == 0 || !is_of_a_name(text[at - 1])) && (end == text.size() || !is_of_a_name(text[end]))) return true;
    }
    return false;
}

template <std::size_t N>
bool has_one(std::string_view text, const std::array<std::string_view, N>& words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

/// That a member is not known, rather than that its value does not suit: "max_tokens is too large" is of one sample.
bool says_unknown(std::string_view text) {
    static constexpr std::array<std::string_view, 12> unknown{
        "unsupported",   "not support",     "n't support",  "unrecognized", "unrecognised", "unknown",
        "not permitted", "extra_forbidden", "extra inputs", "unexpected",   "not allowed",  "invalid parameter"};
    static constexpr std::array<std::string_view, 6> of_its_value{"too large", "too long",     "maximum context",
                                                                  "exceed",    "greater than", "less than"};
    return has_one(text, unknown) && !has_one(text, of_its_value);
}

}  // namespace

FitRules fit_rules(const Model& model) {
    return {{model.token_limit == TokenLimit::MaxCompletionTokens, model.send_seed != SendSeed::Never},
            model.token_limit == TokenLimit::Auto,
            model.send_seed == SendSeed::Auto};
}

std::optional<Fit> refit(const Fit& sent, const FitRules& rules, int status, std::string_view body) {
    if (status != 400 && status != 422) return std::nullopt;
    const std::string text = lower(body.substr(0, 10'000));
    if (!says_unknown(text)) return std::nullopt;
    Fit fit = sent;
    if (rules.learns_limit && names(text, "max_tokens")) fit.completion_tokens = true;
    if (rules.learns_seed && names(text, "seed")) fit.seed = false;
    if (fit == sent) return std::nullopt;
    return fit;
}

std::string fitted_end(const Fit& fit, std::optional<std::int32_t> max_new_tokens, std::uint32_t seed) {
    std::string end;
    if (max_new_tokens)
        end += (fit.completion_tokens ? ",\"max_completion_tokens\":" : ",\"max_tokens\":") +
               std::to_string(*max_new_tokens);
    // Some servers keep it in 32 bits with a sign, and to some the greatest number of 32 bits says "any".
    if (fit.seed) end += ",\"seed\":" + std::to_string(seed & 0x7fffffffU);
    return end + "}";
}

}  // namespace evaljob::openai
