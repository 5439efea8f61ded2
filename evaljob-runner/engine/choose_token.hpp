// Which token follows, drawn by chance. Random numbers are counted, not drawn in turn: what a sample gets depends on
// its seed and on the place in its text, not on what shares its batch. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "evaljob-runner/engine/text_model.hpp"

namespace evaljob {

/// The random number of a seed and a place, from 0 to below 1: the upper 53 bits of SplitMix64's output for the state
/// seed · 2³² + place.
double random_at(std::uint32_t seed, std::uint32_t place);

struct Sampling {
    double temperature = 0;  // 0: the most likely token
    double top_p = 1;        // only the likeliest tokens that together have so much probability
};

struct Choice {
    Token token = 0;
    double log_probability = 0;  // that the model gives it, at temperature 1
};

/// Of `count` scores; nothing when one is no number, or none is finite. Among equal ones the first counts as likelier.
std::optional<Choice> choose_token(const float* scores, std::int64_t count, const Sampling& sampling, double random);

}  // namespace evaljob
