// Why an answer ended, as servers say it. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace evaljob::openai {

enum class Finish {
    Answer,    // the model had said what it would; or the server does not say
    Length,    // a limit of tokens
    Filtered,  // a content filter
    NoAnswer   // the server failed, or gave it up
};

/// What a server calls it. What is not known here counts as an answer, and stands in the results.
inline Finish finish_of(std::string reason) {
    struct Row {
        std::string_view word;
        Finish finish;
    };
    static constexpr std::array<Row, 18> rows{{
        {"length", Finish::Length},
        {"max_tokens", Finish::Length},
        {"model_length", Finish::Length},  // Mistral
        {"content_filter", Finish::Filtered},
        {"content_filtered", Finish::Filtered},
        {"safety", Finish::Filtered},      // Gemini
        {"recitation", Finish::Filtered},  // Gemini
        {"prohibited_content", Finish::Filtered},
        {"error", Finish::NoAnswer},  // OpenRouter, vLLM, Mistral
        {"abort", Finish::NoAnswer},  // vLLM, SGLang
        {"aborted", Finish::NoAnswer},
        {"cancelled", Finish::NoAnswer},
        {"canceled", Finish::NoAnswer},
        {"timeout", Finish::NoAnswer},
        {"time_limit", Finish::NoAnswer},
        {"failed", Finish::NoAnswer},
        {"overloaded", Finish::NoAnswer},
        {"insufficient_system_resource", Finish::NoAnswer},  // DeepSeek
    }};
    std::transform(reason.begin(), reason.end(), reason.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const auto* const row = std::find_if(rows.begin(), rows.end(), [&](const Row& one) { return one.word == reason; });
    return row == rows.end() ? Finish::Answer : row->finish;
}

}  // namespace evaljob::openai
