// What a rank and its program say to each other, a JSON object on each line; docs/runner.md. Pure; what the program
// says is untrusted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "evaljob-runner/engine/engine.hpp"

namespace evaljob {

inline constexpr std::size_t max_answer_bytes = 100'000'000;                 // a line; a longer one ends the program
inline constexpr std::size_t max_prediction_bytes = std::size_t{16} << 20U;  // a longer one fails its sample
inline constexpr std::size_t max_detail_bytes = std::size_t{1} << 20U;
inline constexpr std::size_t max_error_bytes = 4096;  // the rest is cut off

/// One line, with its end.
std::string request_line(std::uint64_t number, const Request& request, const Dataset& dataset);

/// The program is ready for requests.
struct Ready {
    std::string library;  // what it says of itself; may be empty
};

struct Answer {
    std::uint64_t request = 0;
    Prediction prediction;
};

/// Neither: no JSON object, or one that is not meant for us.
struct Noise {};

std::variant<Noise, Ready, Answer> read_program_line(std::string_view line);

}  // namespace evaljob
