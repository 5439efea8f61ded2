#pragma once

#include <cstdint>

namespace evaljob {

using Milliseconds = std::int64_t;  // of a clock that never goes back

}  // namespace evaljob
