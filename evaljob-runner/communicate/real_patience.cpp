#include "evaljob-runner/communicate/real_patience.hpp"

#include <chrono>
#include <thread>

namespace evaljob {

namespace {

Milliseconds steady_now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

void pause(int round) {
    if (round < 100) return std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace

Patience real_patience(Milliseconds limit) { return {limit, steady_now, pause}; }

}  // namespace evaljob
