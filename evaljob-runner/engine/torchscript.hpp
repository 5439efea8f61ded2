#pragma once

#include <memory>
#include <string>

#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/engine/engine.hpp"

namespace evaljob {

/// TorchScript: forward(float32 [N, …], bytes scaled to 0..1) → scores [N, classes], or a model that generates texts
/// (torchscript_generation.hpp). With another precision than FP32, model and input are converted. Fails with BadInput,
/// naming the file, when it cannot be loaded, is not the one of `sha256`, or its device is not there.
Result<std::unique_ptr<Engine>> load_torchscript(const std::string& path, const std::string& sha256,
                                                 const DeviceChoice& device, const Inference& inference);

}  // namespace evaljob
