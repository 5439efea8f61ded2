// What engines that speak with programs and servers of others make of their texts. Pure; the texts are untrusted.
#pragma once

#include <cstddef>
#include <string>

#include "evaljob-runner/engine/engine.hpp"

namespace evaljob {

inline constexpr std::size_t max_answer_bytes = 100'000'000;                 // one answer as it arrives
inline constexpr std::size_t max_prediction_bytes = std::size_t{16} << 20U;  // a longer one fails its sample
inline constexpr std::size_t max_error_bytes = 4096;                         // the rest is cut off

/// At most `limit` bytes, as UTF-8 whatever they were.
std::string readable(std::string bytes, std::size_t limit);

Prediction failed_prediction(std::string why);

/// The prediction of these bytes, or that they are too many. `whose`: "the program's".
Prediction text_prediction(const std::string& bytes, const std::string& whose);

}  // namespace evaljob
