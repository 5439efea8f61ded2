// What a user wrote arrives byte for byte through Kubernetes' expansion, which local mode does alike.
#include "api/expansion.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace evaljob {
namespace {

struct Row {
    const char* name;
    const char* text;
    const char* expanded;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class Expansion : public testing::TestWithParam<Row> {};

TEST_P(Expansion, IsThatOfTheKubelet) {
    const Environment variables{{"A", "a"}, {"B", "$(A)"}, {"", "none"}, {"RANK", "3"}};
    EXPECT_EQ(expand(GetParam().text, variables), GetParam().expanded);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, Expansion,
    testing::Values(Row{"Plain", "no dollar", "no dollar"}, Row{"Reference", "<$(A)>", "<a>"},
                    Row{"Twice", "$(A)$(A)", "aa"}, Row{"ValuesAreNotExpandedAgain", "$(B)", "$(A)"},
                    Row{"Unknown", "$(C)", "$(C)"}, Row{"UnknownWithAReferenceInside", "$($(A))", "$($(A))"},
                    Row{"Escaped", "$$(A)", "$(A)"}, Row{"Three", "$$$(A)", "$a"}, Row{"Four", "$$$$(A)", "$$(A)"},
                    Row{"Latex", "$$x$$", "$x$"}, Row{"Open", "$(A", "$(A"}, Row{"OpenThenReference", "$($$", "$($"},
                    Row{"Price", "price $5", "price $5"}, Row{"AtTheEnd", "x$", "x$"}, Row{"Alone", "$", "$"},
                    Row{"Nameless", "$()", "none"}, Row{"ByteBeyondAscii", "$\xC3\xA9", "$\xC3\x83\xA9"}),
    [](const auto& row) { return row.param.name; });

/// Mostly what expansion acts on.
std::string random_text(std::mt19937& random) {
    constexpr std::array<const char*, 14> parts{"$",  "$$", "$(",       "(",    ")", "A",  "$(A)",
                                                "\n", "\"", "\xC3\xA9", "\x01", "'", "\\", "\xF0\x9F\x98\x80"};
    std::string text;
    for (auto left = random() % 20; left > 0; --left) text += parts.at(random() % parts.size());
    return text;
}

TEST(Unexpanded, IsExpandedToTheVeryText) {
    std::mt19937 random(1);
    const Environment variables{{"A", "expanded"}, {"", "expanded"}, {"$(A", "expanded"}};
    for (int i = 0; i < 20'000; ++i) {
        const std::string text = random_text(random);
        ASSERT_EQ(expand(unexpanded(text), variables), text) << unexpanded(text);
    }
}

}  // namespace
}  // namespace evaljob
