// In the place of gloo.cpp where there are no headers for it.
#include "evaljob-runner/communicate/gloo.hpp"

namespace evaljob {

const bool gloo_is_built = false;

Result<std::unique_ptr<Door>> open_gloo_door(const std::string& /*address*/, std::int64_t /*limit_ms*/) {
    return fail("Unavailable", "this runner is built without Gloo");
}

}  // namespace evaljob
