// JSON from elsewhere, read strictly: whatever nlohmann accepts, but neither nested so deep that walking it would
// overflow the stack, nor with numbers that turn into others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string_view>

#include "api/json.hpp"

namespace evaljob {

inline constexpr std::size_t max_json_depth = 128;

/// Discarded (Json::is_discarded) when `text` is no JSON, or nested deeper than max_json_depth.
Json parse_json(std::string_view text);

/// Json's own get() turns fractions, negative and too large numbers into others; this throws std::out_of_range.
template <class T>
T number_from(const Json& value) {
    const bool fits = value.is_number_unsigned()
                          ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<T>::max())
                          : value.is_number_integer() && std::numeric_limits<T>::is_signed &&
                                value.get<std::int64_t>() >= static_cast<std::int64_t>(std::numeric_limits<T>::min());
    if (!fits) throw std::out_of_range("a number is missing, no integer, or out of range");
    return value.get<T>();
}

}  // namespace evaljob
