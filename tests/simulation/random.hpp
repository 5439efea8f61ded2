// Random numbers that are the same everywhere: a seed must repeat a run on any machine and with any library.
#pragma once

#include <cmath>
#include <cstdint>

namespace evaljob::simulation {

class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL + 1) {}

    /// splitmix64
    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31U);
    }
    /// 0 … n - 1; n is at least 1.
    std::uint64_t below(std::uint64_t n) { return next() % n; }
    /// low … high, both included.
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
    }
    bool chance(double p) { return p > 0 && static_cast<double>(next() >> 11U) * 0x1p-53 < p; }

private:
    std::uint64_t state_;
};

}  // namespace evaljob::simulation
