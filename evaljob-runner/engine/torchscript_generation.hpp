// TorchScript models that generate texts, token by token with a cache. docs/runner.md has the contract,
// docs/decisions/0019-generating-models.md why it is this one.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "evaljob-runner/engine/engine.hpp"

namespace torch::jit {
struct Module;
}

namespace evaljob {

/// The model's extra file that says what a generating one is.
inline constexpr const char* text_model_file = "evaljob.json";

/// `description` is that file's content, `device` where the module lies, `precision` what it was converted to. Fails
/// with BadInput when module and description do not fit.
Result<std::unique_ptr<Engine>> generating_engine(const torch::jit::Module& module, std::string_view description,
                                                  const std::string& device, Precision precision);

}  // namespace evaljob
