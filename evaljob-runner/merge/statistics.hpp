// A proportion with its uncertainty. Pure. docs/results.md has the formulas.
#pragma once

#include <cstdint>
#include <string>

namespace evaljob {

/// A share of successes among n independent trials; all zero when n is 0.
struct Proportion {
    std::uint64_t successes = 0;
    std::uint64_t n = 0;

    double value() const;
    double standard_error() const;  // sqrt(p (1 - p) / n)
};

/// Two-sided, 0 ≤ low ≤ high ≤ 1.
struct Interval {
    double low = 0;
    double high = 0;
};

inline constexpr double confidence_level = 0.95;

/// Wilson's score interval at confidence_level, without continuity correction; {0, 1} when n is 0: nothing is known.
Interval wilson(const Proportion& share);

/// Fixed point with so many digits, correctly rounded, independent of any locale: decimal(0.5, 3) = "0.500".
std::string decimal(double value, int digits);

/// As metrics are published: six digits.
inline std::string metric_value(double value) { return decimal(value, 6); }

}  // namespace evaljob
