#include "api/json_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace evaljob::test {
namespace {

std::string nested(std::size_t depth, char open = '[', char close = ']') {
    return std::string(depth, open) + std::string(depth, close);
}

TEST(JsonText, IsReadDownToItsDepth) {
    EXPECT_FALSE(parse_json(nested(max_json_depth)).is_discarded());
    EXPECT_TRUE(parse_json(nested(max_json_depth + 1)).is_discarded());
}

TEST(JsonText, OfManyBracketsSideBySideIsNotDeep) {
    std::string text = "[";
    for (int i = 0; i < 1000; ++i) text += "{},[],";
    EXPECT_EQ(parse_json(text + "0]").size(), 2001U);
}

TEST(JsonText, MayHaveAnyNumberOfBracketsInATextAndItsEscapes) {
    const std::string brackets(1000, '[');
    EXPECT_EQ(parse_json("[\"" + brackets + "\"]")[0], brackets);
    EXPECT_EQ(parse_json("[\"\\\"" + brackets + "\"]")[0], "\"" + brackets);
    EXPECT_EQ(parse_json("{\"" + brackets + "\":\"\\\\\"}")[brackets], "\\");
}

// A recursive walk over a value that deep ended the program.
TEST(JsonText, OfAMillionLevelsIsRefused) {
    EXPECT_TRUE(parse_json(nested(1'000'000)).is_discarded());
    EXPECT_TRUE(parse_json(std::string(1'000'000, '[')).is_discarded());
    EXPECT_TRUE(parse_json("\"" + std::string(200, '[')).is_discarded());
}

template <class T>
bool fits(const char* text) {
    try {
        static_cast<void>(number_from<T>(parse_json(text)));
        return true;
    } catch (const std::out_of_range&) {
        return false;
    }
}

TEST(NumberFrom, TakesOnlyWhatFits) {
    EXPECT_TRUE(fits<std::uint32_t>("4294967295"));
    EXPECT_FALSE(fits<std::uint32_t>("4294967296"));
    EXPECT_FALSE(fits<std::uint32_t>("-1"));
    EXPECT_TRUE(fits<std::int32_t>("-2147483648"));
    EXPECT_FALSE(fits<std::int32_t>("2147483648"));
    EXPECT_TRUE(fits<std::uint64_t>("18446744073709551615"));
    EXPECT_FALSE(fits<std::int64_t>("9223372036854775808"));
    for (const char* text : {"1.0", "1e3", "\"1\"", "true", "null", "[1]"})
        EXPECT_FALSE(fits<std::int64_t>(text)) << text;
}

}  // namespace
}  // namespace evaljob::test
