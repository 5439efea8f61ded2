// An API server in memory with a fixed clock and a window of ten changes.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/local/api_client.hpp"

namespace evaljob::local {

class MemoryApiTest : public testing::Test {
protected:
    static MemoryApiOptions options() {
        MemoryApiOptions options;
        options.clock = [] { return std::int64_t{1'700'000'000}; };
        options.watch_window = 10;
        return options;
    }
    std::string uid_of(const std::string& path) {
        return client.get(path).body.at("metadata").at("uid").get<std::string>();
    }

    MemoryApi api{options()};
    ApiClient client{api};
};

}  // namespace evaljob::local
