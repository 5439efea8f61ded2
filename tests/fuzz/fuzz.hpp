// What every fuzz target shares. A target is one LLVMFuzzerTestOneInput: linked with libFuzzer it looks for inputs that
// break what it asserts, linked with replay.cpp it is an ordinary test over tests/fuzz/corpus/TARGET.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace evaljob::fuzz {

/// Ends the program with `claim` when it does not hold.
inline void require(bool holds, const char* claim) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", claim);
    std::abort();
}

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace evaljob::fuzz
