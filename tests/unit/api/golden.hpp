// Golden files: what a test makes must equal what is committed; EVALJOB_UPDATE_GOLDEN=1 writes it anew.
#pragma once

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/places.hpp"

namespace evaljob::test {

inline std::string source_path(const std::string& relative) { return std::string(EVALJOB_SOURCE_DIR) + "/" + relative; }

inline std::string read_source(const std::string& relative) {
    std::ifstream file(source_path(relative), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline void expect_golden(const std::string& relative, const std::string& made) {
    if (std::getenv("EVALJOB_UPDATE_GOLDEN") != nullptr) {
        std::ofstream(source_path(relative), std::ios::binary) << made;
    }
    EXPECT_EQ(made, read_source(relative)) << relative << " is out of date: run this test with EVALJOB_UPDATE_GOLDEN=1";
}

}  // namespace evaljob::test
