// docs/invariants.md names tests: they must exist.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "tests/places.hpp"

namespace evaljob::house {
namespace {

std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

/// "SUITE.NAME" for each match of a pattern with two groups.
std::set<std::string> matches(const std::string& text, const std::regex& pattern) {
    std::set<std::string> found;
    for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it)
        found.insert((*it)[1].str() + "." + (*it)[2].str());
    return found;
}

TEST(Invariants, NameTestsThatExist) {
    const std::filesystem::path root = EVALJOB_SOURCE_DIR;
    const std::regex test(R"(TEST(?:_F|_P)?\((\w+), (\w+)\))");
    std::set<std::string> tests;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "tests"))
        if (entry.path().extension() == ".cpp") tests.merge(matches(text_of(entry.path()), test));
    const auto named = matches(text_of(root / "docs" / "invariants.md"), std::regex(R"(`([A-Z]\w+)\.([A-Z]\w+)`)"));
    EXPECT_GT(named.size(), 40U);
    for (const std::string& name : named) EXPECT_TRUE(tests.contains(name)) << name << " is no test";
}

}  // namespace
}  // namespace evaljob::house
