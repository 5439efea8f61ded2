#pragma once

#include "api/result.hpp"

namespace evaljob {

/// The compute capability of the GPU that CUDA counts as `index`, 90 for 9.0. Asks the driver, so that it needs neither
/// CUDA's headers nor its libraries. Fails with BadInput when there is none.
Result<int> compute_capability(int index);

}  // namespace evaljob
