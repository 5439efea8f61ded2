// What a dataset, a server or a peer says, as a terminal gets it.
#include "api/printable.hpp"

#include <gtest/gtest.h>

#include "api/utf8.hpp"

namespace evaljob {
namespace {

using namespace std::string_literals;

struct Case {
    const char* name;
    std::string text;
    std::string shown;
};

class Printable : public testing::TestWithParam<Case> {};

TEST_P(Printable, ShowsWhatActs) { EXPECT_EQ(printable(GetParam().text), GetParam().shown); }

INSTANTIATE_TEST_SUITE_P(Texts, Printable,
                         testing::Values(Case{"Empty", "", ""}, Case{"Words", "cat \\frac{1}{2}", "cat \\frac{1}{2}"},
                                         Case{"OtherLanguages", "Größe 猫 🐈 ‘x’", "Größe 猫 🐈 ‘x’"},
                                         Case{"ALineOfItsOwn", "7\naccuracy 1.0\r\n", "7\\naccuracy 1.0\\r\\n"},
                                         Case{"Tab", "a\tb", "a\\tb"}, Case{"Nul", "a\0b"s, "a\\x00b"},
                                         Case{"Colour", "\x1b[31mred", "\\x1b[31mred"},
                                         Case{"Backspace", "12\b\b99", "12\\x08\\x0899"},
                                         Case{"Delete", "a\x7f", "a\\x7f"},
                                         Case{"C1Csi",
                                              "\xc2\x9b"
                                              "31m",
                                              "\\u009b31m"},
                                         Case{"C1NextLine",
                                              "a\xc2\x85"
                                              "b",
                                              "a\\u0085b"},
                                         Case{"NoBreakSpaceIsNoC1",
                                              "a\xc2\xa0"
                                              "b",
                                              "a\xc2\xa0"
                                              "b"},
                                         Case{"LineSeparator",
                                              "a\xe2\x80\xa8"
                                              "b\xe2\x80\xa9",
                                              "a\\u2028b\\u2029"},
                                         Case{"RightToLeftOverride",
                                              "a\xe2\x80\xae"
                                              "fdp",
                                              "a\\u202efdp"},
                                         Case{"Marks", "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "\\u200e\\u200f\\u061c"},
                                         Case{"Isolates", "\xe2\x81\xa6x\xe2\x81\xa9", "\\u2066x\\u2069"},
                                         Case{"JoinersOfEmojiStay",
                                              "a\xe2\x80\x8d"
                                              "b",
                                              "a\xe2\x80\x8d"
                                              "b"},
                                         Case{"ABareC1Byte",
                                              "\x9b"
                                              "31m",
                                              "\\x9b31m"},
                                         Case{"ACutCharacter", "a\xe2\x80", "a\\xe2\\x80"},
                                         Case{"Overlong", "\xc0\x8a", "\\xc0\\x8a"},
                                         Case{"ASurrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80"}),
                         [](const auto& info) { return info.param.name; });

TEST(PrintableText, OfEveryPairOfBytesIsUtf8WithoutControlCharacters) {
    for (int first = 0; first < 256; ++first)
        for (int second = 0; second < 256; ++second) {
            const std::string shown = printable(std::string{static_cast<char>(first), static_cast<char>(second)});
            ASSERT_TRUE(is_utf8(shown)) << first << " " << second;
            for (const char c : shown) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) << shown;
        }
}

}  // namespace
}  // namespace evaljob
