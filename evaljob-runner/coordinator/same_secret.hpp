// Whether two secrets are equal, in a time that does not tell how much of them is.
#pragma once

#include <string_view>

namespace evaljob {

inline bool same_secret(std::string_view given, std::string_view expected) {
    unsigned char difference = given.size() == expected.size() ? 0 : 1;
    for (std::size_t i = 0; i < given.size(); ++i) {
        difference |= static_cast<unsigned char>(given[i] ^ (expected.empty() ? '\0' : expected[i % expected.size()]));
    }
    return difference == 0 && !expected.empty();
}

}  // namespace evaljob
