// Runs a fuzz target over its committed corpus, a test a file: what the fuzzer once found stays mended.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.hpp"

namespace evaljob::fuzz {
namespace {

/// This program is replay_TARGET.
std::vector<std::string> corpus() {
    const std::string target = std::filesystem::read_symlink("/proc/self/exe").filename().string().substr(7);
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(EVALJOB_CORPUS "/" + target))
        files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    return files;
}

std::string bytes_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string name_of(const testing::TestParamInfo<std::string>& info) {
    std::string name = std::filesystem::path(info.param).filename().string();
    std::replace_if(
        name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    return name;
}

class Corpus : public testing::TestWithParam<std::string> {};

// The target ends the program when what it asserts does not hold.
TEST_P(Corpus, HoldsWhatTheTargetAsserts) {
    const std::string bytes = bytes_of(GetParam());
    EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()), 0);
}

INSTANTIATE_TEST_SUITE_P(Replay, Corpus, testing::ValuesIn(corpus()), name_of);

}  // namespace
}  // namespace evaljob::fuzz
