// The seed of one evaluation of one sample: the same on every rank, in every run. Pure.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>

#include "api/digest.hpp"
#include "api/json.hpp"

namespace evaljob {

/// Of inference.seed, the sample's id and the repeat alone; 32 bits, which every random generator takes.
inline std::uint32_t sample_seed(std::int64_t seed, const std::string& id, std::uint32_t repeat) {
    const std::string digest = sha256_hex(Json::array({seed, id, repeat}).dump());
    std::uint32_t number = 0;
    std::from_chars(digest.data(), digest.data() + 8, number, 16);
    return number;
}

}  // namespace evaljob
