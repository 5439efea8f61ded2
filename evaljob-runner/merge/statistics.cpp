#include "evaljob-runner/merge/statistics.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "api/assert.hpp"

namespace evaljob {

double Proportion::value() const {
    EVALJOB_ASSERT(successes <= n, "a part is no more than the whole");
    return n == 0 ? 0 : static_cast<double>(successes) / static_cast<double>(n);
}

double Proportion::standard_error() const {
    double p = value();
    return n == 0 ? 0 : std::sqrt(p * (1 - p) / static_cast<double>(n));
}

Interval wilson(double p, double n) {
    if (n <= 0) return {0, 1};
    static const double z = boost::math::quantile(boost::math::normal(), 1 - (1 - confidence_level) / 2);
    double scale = 1 / (1 + z * z / n);
    double centre = scale * (p + z * z / (2 * n));
    double half = scale * z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    // At the ends the formula gives the end itself; rounding must not leave it, nor the value the interval.
    double low = p <= 0 ? 0 : std::max(0.0, centre - half);
    double high = p >= 1 ? 1 : std::min(1.0, centre + half);
    EVALJOB_ASSERT(low <= high && low >= 0 && high <= 1, "an interval of a share lies within 0 and 1");
    return {low, high};
}

Interval wilson(const Proportion& share) { return wilson(share.value(), static_cast<double>(share.n)); }

double pass_at(std::uint64_t n, std::uint64_t right, std::uint64_t k) {
    EVALJOB_ASSERT(right <= n && k <= n, "of n answers no more are right, or drawn");
    double all_wrong = 1;
    for (std::uint64_t i = 0; i < k; ++i) {
        if (n - right <= i) return 1;
        all_wrong *= static_cast<double>(n - right - i) / static_cast<double>(n - i);
    }
    return 1 - all_wrong;
}

std::string points_text(Points points) {
    const auto size = static_cast<std::uint64_t>(points < 0 ? -points : points);
    const std::string digits = std::to_string(size % full_points);
    return (points < 0 ? "-" : "") + std::to_string(size / full_points) + "." + std::string(6 - digits.size(), '0') +
           digits;
}

void Mean::add(Points points) {
    ++n_;
    sum_ += points;
    squares_ += static_cast<Wide>(points) * points;
    is_share_ = is_share_ && (points == 0 || points == full_points);
}

double Mean::value() const {
    return n_ == 0 ? 0 : static_cast<double>(sum_) / (static_cast<double>(n_) * static_cast<double>(full_points));
}

double Mean::standard_error() const {
    if (n_ < 2) return 0;
    // Around a whole number next to the mean: exact, and nothing large is taken from something large afterwards.
    const auto count = static_cast<Wide>(n_);
    const Wide middle = sum_ / count;
    const auto rest = static_cast<double>(sum_ - middle * count);
    const auto around = static_cast<double>(squares_ - 2 * middle * sum_ + middle * middle * count);
    const auto n = static_cast<double>(n_);
    const double variance = std::max(0.0, around - rest * rest / n) / (n - 1);
    return std::sqrt(variance / n) / static_cast<double>(full_points);
}

Proportion Mean::share() const { return {static_cast<std::uint64_t>(sum_ / full_points), n_}; }

std::optional<Interval> student(const Mean& mean) {
    if (mean.n() < 2) return std::nullopt;
    const boost::math::students_t distribution(static_cast<double>(mean.n() - 1));
    const double half = boost::math::quantile(distribution, 1 - (1 - confidence_level) / 2) * mean.standard_error();
    return Interval{mean.value() - half, mean.value() + half};
}

}  // namespace evaljob
