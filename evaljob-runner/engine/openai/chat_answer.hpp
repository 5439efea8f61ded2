// What a server answers, read. Pure; it is untrusted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "evaljob-runner/engine/engine.hpp"

namespace evaljob::openai {

inline constexpr std::size_t max_reasoning_bytes = std::size_t{1} << 20U;  // the rest is cut off

struct ChatAnswer {
    /// detail: {"finishReason": "stop", "reasoning": "…", "promptTokens": 7, "completionTokens": 3}, as far as the
    /// server says so; "reasoningBytes" beside a reasoning that was cut.
    Prediction prediction;
    bool filtered = false;  // the server's content filter has ended it
    std::uint64_t prompt_tokens = 0;
    std::uint64_t completion_tokens = 0;
};

/// Fails with Garbled when it is no chat completion, or one that ended in an error; the message says what it is.
Result<ChatAnswer> read_chat_answer(std::string_view body);

struct ModelList {
    std::vector<std::string> names;  // as many as a person wants to be told
    std::size_t count = 0;           // of models
    std::string owner;               // of the first: "vllm"; may be empty
    bool is_complete = true;         // there is no further page
    bool has_the_wanted = false;     // by its name or an alias
};

/// Of GET /models, in which `wanted` is looked for. Fails with Garbled: no list of models. Its `retry` is false where
/// it is no JSON at all, as what another kind of server says.
Result<ModelList> read_models(std::string_view body, std::string_view wanted);

/// What a server says about a request that it refuses; one line.
std::string refusal_text(std::string_view body);

}  // namespace evaljob::openai
