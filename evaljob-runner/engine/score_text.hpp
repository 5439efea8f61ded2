// What predictions that come of a model's scores have in common.
#pragma once

#include <array>
#include <cstdio>
#include <string>

namespace evaljob {

inline constexpr const char* no_numbers = "the model's scores are no numbers";

inline std::string six_digits(double number) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.6f", number);
    return text.data();
}

}  // namespace evaljob
