// A TorchScript module with the methods prefill and step.
#pragma once

#include <memory>

#include "evaljob-runner/engine/text_network.hpp"

namespace torch::jit {
struct Module;
}

namespace evaljob {

/// Fails with BadInput when the module lacks a method; the message goes on from "FILE: ".
Result<std::unique_ptr<TextNetwork>> torchscript_network(const torch::jit::Module& module);

}  // namespace evaljob
