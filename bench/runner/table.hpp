// Figures as tables print them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace evaljob::bench {

inline std::string fixed(double value, int places) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", places, value);
    return text;
}

/// "median (lowest to highest)"; the figure alone when all print the same.
inline std::string spread_of(std::vector<double> values, int places) {
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    const double median = values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    const std::string low = fixed(values.front(), places);
    const std::string high = fixed(values.back(), places);
    if (low == high) return low;
    return fixed(median, places) + " (" + low + " to " + high + ")";
}

inline std::string with_commas(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
        text.insert(static_cast<std::size_t>(at), ",");
    return text;
}

}  // namespace evaljob::bench
