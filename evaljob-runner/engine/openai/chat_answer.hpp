// What a server answers, read. Pure; it is untrusted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "evaljob-runner/engine/engine.hpp"

namespace evaljob::openai {

struct ChatAnswer {
    Prediction prediction;  // detail: {"finishReason": "stop"}
    std::uint64_t prompt_tokens = 0;
    std::uint64_t completion_tokens = 0;
};

/// Fails with Garbled when it is no chat completion; the message says what it is instead.
Result<ChatAnswer> read_chat_answer(std::string_view body);

struct ModelList {
    std::vector<std::string> names;
    std::string owner;  // of the first: "vllm"; may be empty
};

/// Of GET /models. Fails with Garbled.
Result<ModelList> read_models(std::string_view body);

/// What a server says about a request that it refuses; one line.
std::string refusal_text(std::string_view body);

}  // namespace evaljob::openai
