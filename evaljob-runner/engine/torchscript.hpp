#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/engine/engine.hpp"

namespace evaljob {

/// TorchScript: forward(float32 [N, …], bytes scaled to 0..1) → scores [N, classes], or a model that generates texts
/// (generating_engine.hpp). With another precision than FP32, model and input are converted. Fails with BadInput,
/// naming the file at `path` whose bytes these are, when it cannot be loaded or its device is not there.
Result<std::unique_ptr<Engine>> load_torchscript(std::string_view bytes, const std::string& path,
                                                 const DeviceChoice& device, const Inference& inference);

}  // namespace evaljob
