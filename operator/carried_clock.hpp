// Unix seconds that never jump while a program runs: the wall clock as it was at the start, carried on by the steady
// one. So a clock that is set while a job runs moves no deadline. One that is wrong at the start moves them by as much.
#pragma once

#include <chrono>

#include "operator/reconciler.hpp"

namespace evaljob {

inline Clock carried_clock() {
    using std::chrono::steady_clock;
    const auto wall = std::chrono::system_clock::now();
    const auto steady = steady_clock::now();
    return [wall, steady]() -> UnixSeconds {
        const auto passed =
            std::chrono::duration_cast<std::chrono::system_clock::duration>(steady_clock::now() - steady);
        return std::chrono::system_clock::to_time_t(wall + passed);
    };
}

}  // namespace evaljob
