// In the place of nccl.cpp where there are no NCCL and CUDA.
#include "evaljob-runner/communicate/nccl.hpp"

namespace evaljob {

const bool nccl_is_built = false;

Result<std::unique_ptr<Door>> open_nccl_door(int /*device*/, std::int64_t /*limit_ms*/) {
    return fail("Unavailable", "this runner is built without NCCL");
}

}  // namespace evaljob
