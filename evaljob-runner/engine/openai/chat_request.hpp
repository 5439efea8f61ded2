// What is asked of a server for one sample: a chat completion, as JSON. Pure but for the images, which a function
// reads.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "api/evaljob.hpp"
#include "evaljob-runner/engine/engine.hpp"
#include "evaljob-runner/engine/openai/prompt.hpp"

namespace evaljob::openai {

inline constexpr std::size_t max_request_bytes = std::size_t{64} << 20U;  // with all its images, as base64

/// The bytes of an image that a sample names by its path, where the dataset has not read it.
using ReadImage = std::function<Result<std::string>(const std::string& path)>;

/// The body of the request. The sample's texts stand in it as they stand in the dataset. Fails with BadInput when the
/// sample has nothing to ask, or an image that is none; the message is for who knows the sample.
Result<std::string> chat_request(const Model& model, const Task& task, const std::optional<Prompt>& prompt,
                                 const Request& request, const ReadImage& read_image);

/// "image/png" by the first bytes; empty for what is no image that servers take.
std::string image_type(const std::string& bytes);

}  // namespace evaljob::openai
