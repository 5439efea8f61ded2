// What is asked of a server for one sample: a chat completion, as JSON. Pure but for the images, which a function
// reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "api/evaljob.hpp"
#include "evaljob-runner/engine/engine.hpp"
#include "evaljob-runner/engine/openai/prompt.hpp"
#include "evaljob-runner/engine/stop_texts.hpp"

namespace evaljob::openai {

inline constexpr std::size_t max_request_bytes = std::size_t{64} << 20U;  // with all its images, as base64

/// The bytes of an image that a sample names by its path, where the dataset has not read it.
using ReadImage = std::function<Result<std::string>(const std::string& path)>;

/// A request, but for the members that depend on the server (fit.hpp).
struct ChatRequest {
    std::string body;  // without its end
    std::optional<std::int32_t> max_new_tokens;
    std::uint32_t seed = 0;
};

/// The sample's texts stand in it as they stand in the dataset. Fails with BadInput when the sample has nothing to ask,
/// or an image that is none; the message is for who knows the sample.
Result<ChatRequest> chat_request(const Model& model, const Task& task, const std::optional<Prompt>& prompt,
                                 const Request& request, const ReadImage& read_image);

/// The texts at which an answer ends: those that the requests name.
StopTexts stop_texts(const Model& model, const Task& task);

/// "image/png" by the first bytes; empty for what is no image that servers take.
std::string image_type(const std::string& bytes);

}  // namespace evaljob::openai
