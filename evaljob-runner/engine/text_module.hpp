// A model that generates texts, and what goes into it: prompts and images, row by row of its network's tensors.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <memory>
#include <string>
#include <vector>

#include "evaljob-runner/engine/engine.hpp"
#include "evaljob-runner/engine/text_model.hpp"
#include "evaljob-runner/engine/text_network.hpp"

namespace evaljob {

struct Prompt {
    std::vector<Token> tokens;
    at::Tensor image;
    std::string error;  // why the model cannot take it; empty: it can
};

/// Exceptions are the network's.
class TextModule {
public:
    TextModule(std::unique_ptr<TextNetwork> network, TextModel model, c10::Device device);

    const TextModel& model() const { return model_; }
    const Tokenizer& tokenizer() const { return tokenizer_; }
    c10::Device device() const { return device_; }

    /// The image that prompt_for() will need. Any thread.
    void decode_ahead(Request& request) const;
    Prompt prompt_for(const Request& request);

    /// The scores of what follows each prompt: float [rows, tokens], where the network lies. Begins anew. Fails with
    /// BadInput when the network does not give what it should.
    Result<at::Tensor> prefill(const std::vector<const Prompt*>& rows);
    /// The same when each row has got one more token.
    Result<at::Tensor> step(const std::vector<Token>& tokens);
    /// Of prompts that are put into these rows, one each, in place of texts that have ended.
    Result<at::Tensor> refill(const std::vector<const Prompt*>& prompts, const std::vector<std::size_t>& rows);

private:
    std::shared_ptr<const Result<Image>> decoded_image(const Request& request) const;
    void take_image(const Request& request, Prompt& prompt);
    struct Inputs {
        at::Tensor tokens, lengths, images;
    };
    Inputs inputs_of(const std::vector<const Prompt*>& rows) const;
    Result<at::Tensor> checked(Result<at::Tensor> scores, std::size_t rows) const;

    std::unique_ptr<TextNetwork> network_;
    TextModel model_;
    Tokenizer tokenizer_;
    c10::Device device_;
};

}  // namespace evaljob
