// A TorchScript module that generates texts, and what goes into it: prompts and images, row by row of its tensors.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/api/module.h>

#include <memory>
#include <string>
#include <vector>

#include "evaljob-runner/engine/engine.hpp"
#include "evaljob-runner/engine/text_model.hpp"

namespace evaljob {

struct Prompt {
    std::vector<Token> tokens;
    at::Tensor image;
    std::string error;  // why the model cannot take it; empty: it can
};

/// Exceptions are libtorch's and TorchScript's.
class TextModule {
public:
    TextModule(torch::jit::Module module, TextModel model, c10::Device device);

    const TextModel& model() const { return model_; }
    const Tokenizer& tokenizer() const { return tokenizer_; }
    c10::Device device() const { return device_; }

    /// The image that prompt_for() will need. Any thread.
    void decode_ahead(Request& request) const;
    Prompt prompt_for(const Request& request);

    /// The scores of what follows each prompt: float [rows, tokens], where the module lies. Begins anew. Fails with
    /// BadInput when the module does not give what it should.
    Result<at::Tensor> prefill(const std::vector<const Prompt*>& rows);
    /// The same when each row has got one more token.
    Result<at::Tensor> step(const std::vector<Token>& tokens);

private:
    std::shared_ptr<const Result<Image>> decoded_image(const Request& request) const;
    void take_image(const Request& request, Prompt& prompt);
    Result<at::Tensor> take(c10::IValue said, std::size_t rows);

    torch::jit::Module module_;
    TextModel model_;
    Tokenizer tokenizer_;
    c10::Device device_;
    c10::IValue cache_;
};

}  // namespace evaljob
