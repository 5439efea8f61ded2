#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/engine/engine.hpp"

namespace evaljob {

/// A package of AOTInductor: the same model as load_torchscript()'s, compiled ahead of time. Fails with BadInput,
/// naming the file, when it cannot be loaded or was made for another machine than this.
/// A package that does not take batches of every size up to inference.maxBatchSize says so with the first one.
Result<std::unique_ptr<Engine>> load_aot_inductor(std::string_view bytes, const std::string& path,
                                                  const DeviceChoice& device, const Inference& inference);

}  // namespace evaljob
