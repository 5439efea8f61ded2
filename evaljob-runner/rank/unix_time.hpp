// What a rank's log and the report go by.
#pragma once

#include <chrono>
#include <cstdint>

namespace evaljob {

/// Microseconds.
inline std::int64_t unix_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace evaljob
