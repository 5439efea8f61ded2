// This process's environment as a value, read once in main().
#pragma once

#include <unistd.h>

#include <string_view>

#include "api/contract.hpp"

namespace evaljob {

inline Environment own_environment() {
    Environment environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto equals = text.find('=');
        if (equals != std::string_view::npos)
            environment[std::string(text.substr(0, equals))] = text.substr(equals + 1);
    }
    return environment;
}

}  // namespace evaljob
