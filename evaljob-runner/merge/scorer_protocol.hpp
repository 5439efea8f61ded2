// What the merge and a program that scores say to each other, a JSON object on each line; docs/runner.md. Pure; what
// the program says is untrusted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/manifest.hpp"
#include "evaljob-runner/merge/statistics.hpp"

namespace evaljob {

inline constexpr std::size_t max_scorer_line_bytes = std::size_t{1} << 20U;

/// One line, with its end. `prediction` is the JSON that the record has.
std::string scorer_request(std::uint64_t number, const std::string& dataset, const ManifestSample& sample,
                           std::uint64_t repeat, std::string_view prediction);

struct ScorerAnswer {
    std::uint64_t request = 0;
    std::vector<Points> points;  // in the order of the names
    std::string error;           // why there are none; empty: there are
};

/// Nothing when the line is no answer.
std::optional<ScorerAnswer> read_scorer_answer(std::string_view line, const std::vector<std::string>& names);

}  // namespace evaljob
