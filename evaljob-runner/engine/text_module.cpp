#include "evaljob-runner/engine/text_module.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <utility>

#include "evaljob-runner/image/image.hpp"

namespace evaljob {

TextModule::TextModule(std::unique_ptr<TextNetwork> network, TextModel model, c10::Device device)
    : network_(std::move(network)), model_(std::move(model)), tokenizer_(model_), device_(device) {}

void TextModule::decode_ahead(Request& request) const {
    if (model_.channels > 0 && !request.sample.image.empty()) request.image = decoded_image(request);
}

std::shared_ptr<const Result<Image>> TextModule::decoded_image(const Request& request) const {
    return std::make_shared<const Result<Image>>(decode_image(request.sample.image, model_.channels));
}

Prompt TextModule::prompt_for(const Request& request) {
    Prompt prompt;
    const auto text = prompt_of(model_.prompt, request.sample.input);
    auto tokens = text ? tokenizer_.encode(*text) : Result<std::vector<Token>>(tl::unexpected(text.error()));
    if (!tokens) {
        prompt.error = tokens.error().message;
    } else if (tokens->empty() || static_cast<std::int64_t>(tokens->size()) > model_.max_prompt_tokens) {
        prompt.error = "its prompt has " + std::to_string(tokens->size()) + " tokens; the model takes 1 to " +
                       std::to_string(model_.max_prompt_tokens);
    } else {
        prompt.tokens = std::move(*tokens);
        if (model_.channels > 0) take_image(request, prompt);
    }
    return prompt;
}

void TextModule::take_image(const Request& request, Prompt& prompt) {
    if (request.sample.image.empty()) {
        prompt.error = request.sample.image_error.empty() ? "it has no image, or several, or a URL; the model takes one"
                                                          : request.sample.image_error;
        return;
    }
    const auto decoded = request.image ? request.image : decoded_image(request);
    const Result<Image>& image = *decoded;
    if (!image) {
        prompt.error = image.error().message;
        return;
    }
    if (model_.height > 0 && (image->height != model_.height || image->width != model_.width)) {
        prompt.error = "the image has " + std::to_string(image->width) + "x" + std::to_string(image->height) +
                       " pixels; the model takes " + std::to_string(model_.width) + "x" + std::to_string(model_.height);
        return;
    }
    at::Tensor pixels = at::empty({image->height, image->width, image->channels}, at::kByte);
    std::copy(image->pixels.begin(), image->pixels.end(), static_cast<char*>(pixels.data_ptr()));
    prompt.image = pixels.permute({2, 0, 1}).clone(at::MemoryFormat::Contiguous);
    if (model_.height == 0) prompt.image = network_->prepare(prompt.image.to(device_));
}

TextModule::Inputs TextModule::inputs_of(const std::vector<const Prompt*>& rows) const {
    std::size_t longest = 0;
    for (const Prompt* row : rows) longest = std::max(longest, row->tokens.size());
    const auto count = static_cast<std::int64_t>(rows.size());
    at::Tensor tokens = at::full({count, static_cast<std::int64_t>(longest)}, model_.pad, at::kLong);  // behind
    at::Tensor lengths = at::empty({count}, at::kLong);
    std::vector<at::Tensor> images;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::copy(rows[i]->tokens.begin(), rows[i]->tokens.end(), tokens.data_ptr<std::int64_t>() + i * longest);
        lengths.data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(rows[i]->tokens.size());
        if (model_.channels > 0) images.push_back(rows[i]->image);
    }
    const at::Tensor pictures = images.empty() ? at::Tensor() : at::stack(images).to(device_);
    return {tokens.to(device_), lengths.to(device_), pictures};
}

Result<at::Tensor> TextModule::prefill(const std::vector<const Prompt*>& rows) {
    const Inputs inputs = inputs_of(rows);
    return checked(network_->prefill(inputs.tokens, inputs.lengths, inputs.images), rows.size());
}

Result<at::Tensor> TextModule::refill(const std::vector<const Prompt*>& prompts, const std::vector<std::size_t>& rows) {
    const Inputs inputs = inputs_of(prompts);
    at::Tensor numbers = at::empty({static_cast<std::int64_t>(rows.size())}, at::kLong);
    std::copy(rows.begin(), rows.end(), numbers.data_ptr<std::int64_t>());
    return checked(network_->refill(inputs.tokens, inputs.lengths, inputs.images, numbers.to(device_)), rows.size());
}

Result<at::Tensor> TextModule::step(const std::vector<Token>& tokens) {
    at::Tensor next = at::empty({static_cast<std::int64_t>(tokens.size())}, at::kLong);
    std::copy(tokens.begin(), tokens.end(), next.data_ptr<std::int64_t>());
    return checked(network_->step(next.to(device_)), tokens.size());
}

Result<at::Tensor> TextModule::checked(Result<at::Tensor> scores, std::size_t rows) const {
    if (!scores) return scores;
    const auto tokens = static_cast<std::int64_t>(model_.tokens.size());
    if (scores->dim() != 2 || scores->size(0) != static_cast<std::int64_t>(rows) || scores->size(1) != tokens)
        return fail("BadInput", "the model gives scores of shape " + Json(scores->sizes().vec()).dump() + " for " +
                                    std::to_string(rows) + " texts and " + std::to_string(tokens) + " tokens");
    return scores->to(at::kFloat);
}

}  // namespace evaljob
