// What a rank and its program say to each other, a JSON object on each line; docs/runner.md. Pure; what the program
// says is untrusted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "evaljob-runner/engine/engine.hpp"
#include "evaljob-runner/engine/engine_text.hpp"

namespace evaljob {

inline constexpr std::size_t max_detail_bytes = std::size_t{1} << 20U;

/// One line, with its end. `folder`: where the dataset's file lies, for paths in its samples.
std::string request_line(std::uint64_t number, const Request& request, const Dataset& dataset,
                         const std::string& folder);

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
