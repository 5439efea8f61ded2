#include "evaljob-runner/merge/statistics.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <charconv>
#include <cmath>

namespace evaljob {

double Proportion::value() const { return n == 0 ? 0 : static_cast<double>(successes) / static_cast<double>(n); }

double Proportion::standard_error() const {
    double p = value();
    return n == 0 ? 0 : std::sqrt(p * (1 - p) / static_cast<double>(n));
}

Interval wilson(const Proportion& share) {
    if (share.n == 0) return {0, 1};
    static const double z = boost::math::quantile(boost::math::normal(), 1 - (1 - confidence_level) / 2);
    double n = static_cast<double>(share.n);
    double p = share.value();
    double scale = 1 / (1 + z * z / n);
    double centre = scale * (p + z * z / (2 * n));
    double half = scale * z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    // At the ends the formula gives the end itself; rounding must not leave it, nor the value the interval.
    double low = share.successes == 0 ? 0 : std::max(0.0, centre - half);
    double high = share.successes == share.n ? 1 : std::min(1.0, centre + half);
    return {low, high};
}

std::string decimal(double value, int digits) {
    char buffer[400];
    auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, digits);
    return end.ec == std::errc() ? std::string(buffer, end.ptr) : "nan";
}

}  // namespace evaljob
