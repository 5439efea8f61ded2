#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "evaljob-runner/coordinator/protocol.hpp"
#include "evaljob-runner/engine/engine.hpp"

namespace evaljob {

/// A package of AOTInductor: the same model as load_torchscript()'s, compiled ahead of time. Fails with BadInput,
/// naming the file, when it cannot be loaded or was made for another machine than this.
/// Batches have up to `largest_batch` samples: a package that does not take them says so with the first batch.
Result<std::unique_ptr<Engine>> load_aot_inductor(std::string_view bytes, const std::string& path,
                                                  const DeviceChoice& device, int threads, int largest_batch);

}  // namespace evaljob
