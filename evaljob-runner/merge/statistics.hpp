// Proportions and means with their uncertainty. Pure. docs/results.md has the formulas.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/decimal.hpp"

namespace evaljob {

/// A share of successes among n independent trials; all zero when n is 0.
struct Proportion {
    std::uint64_t successes = 0;
    std::uint64_t n = 0;

    double value() const;
    double standard_error() const;  // sqrt(p (1 - p) / n)
};

/// Two-sided, low ≤ high; of a share 0 ≤ low and high ≤ 1.
struct Interval {
    double low = 0;
    double high = 0;
};

inline constexpr double confidence_level = 0.95;

/// Wilson's score interval at confidence_level, without continuity correction; {0, 1} when n is 0: nothing is known.
Interval wilson(const Proportion& share);
/// The same of a share in what is worth n independent trials.
Interval wilson(double share, double n);

/// What one sample scored, in millionths. Sums of whole numbers are exact, so a mean does not depend on their order.
using Points = std::int64_t;
inline constexpr Points full_points = 1'000'000;                // 1
inline constexpr Points most_points = 1'000'000 * full_points;  // no score is larger, nor smaller than minus this

/// Of n answers to a sample, some right: the chance that one of k that are drawn from them is right, without bias
/// 1 - C(n - right, k) / C(n, k) (Chen et al., 2021). k ≤ n.
double pass_at(std::uint64_t n, std::uint64_t right, std::uint64_t k);

/// As a decimal number with six digits.
std::string points_text(Points points);

/// The scores of n independent samples.
class Mean {
public:
    void add(Points points);

    std::uint64_t n() const { return n_; }
    double value() const;           // 0 when n is 0
    double standard_error() const;  // √(Σ (x - value)² / (n (n - 1))); 0 when n is below 2

    /// What was added of full_points, as a share; for scores that are 0 or 1.
    Proportion share() const;
    /// Something was added, and nothing but 0 and full_points.
    bool is_share() const { return n_ > 0 && is_share_; }

private:
    __extension__ typedef __int128 Wide;  // n < 2³² and scores up to most_points fit

    std::uint64_t n_ = 0;
    Wide sum_ = 0;
    Wide squares_ = 0;
    bool is_share_ = true;
};

/// Student's interval at confidence_level; nothing for fewer than two samples, as nothing is known then.
std::optional<Interval> student(const Mean& mean);

/// As metrics are published: six digits.
inline std::string metric_value(double value) { return decimal(value, 6); }

}  // namespace evaljob
