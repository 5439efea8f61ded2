// Cells that are lists of texts, as Python's repr() and JSON write them, and those that are not.
#include "evaljob-runner/dataset/quoted_list.hpp"

#include <gmock/gmock.h>

#include <string>

namespace evaljob::test {
namespace {

using Texts = std::vector<std::string>;

struct ListRow {
    const char* name;
    std::string cell;
    Texts texts;
};
void PrintTo(const ListRow& row, std::ostream* out) { *out << row.name; }

class QuotedList : public testing::TestWithParam<ListRow> {};

TEST_P(QuotedList, IsItsTexts) { EXPECT_EQ(quoted_list(GetParam().cell), GetParam().texts); }

INSTANTIATE_TEST_SUITE_P(Rows, QuotedList,
                         testing::Values(ListRow{"PythonsOne", "['CENTRE']", {"CENTRE"}},
                                         ListRow{"PythonsTwo", "['Paris', 'paris']", {"Paris", "paris"}},
                                         ListRow{"PythonsOtherQuotes", "[\"foo's\", 'foo']", {"foo's", "foo"}},
                                         ListRow{"PythonsBothQuotes", R"(['say "it\'s"'])", {"say \"it's\""}},
                                         ListRow{"Jsons", R"(["a","b"])", {"a", "b"}},
                                         ListRow{"JsonsLines", "[\n  \"a\",\n\t\"b\"\r\n]", {"a", "b"}},
                                         ListRow{"ACommaAndABracketInQuotes", "['a, [b]', '']", {"a, [b]", ""}},
                                         ListRow{"Controls", R"(['\n\t\r\a\b\f\v\\'])", {"\n\t\r\a\b\f\v\\"}},
                                         ListRow{"JsonsSlash", R"(["a\/b"])", {"a/b"}},
                                         ListRow{"Hexadecimal", R"(['\xe9'])", {"é"}},
                                         ListRow{"Octal",
                                                 R"(['\351\0018\7'])",
                                                 {"é\x01"
                                                  "8\x07"}},
                                         ListRow{"ACharacterOf16Bits", R"(['\u6771'])", {"東"}},
                                         ListRow{"ACharacterOf32Bits", R"(['\U0001f600'])", {"😀"}},
                                         ListRow{"JsonsPair", R"(["\ud83d\ude00"])", {"😀"}},
                                         ListRow{"NoAscii", "['é', '東京']", {"é", "東京"}},
                                         ListRow{"AZero", R"(['\x00'])", {std::string(1, '\0')}}),
                         [](const auto& row) { return row.param.name; });

struct TextRow {
    const char* name;
    std::string cell;
};
void PrintTo(const TextRow& row, std::ostream* out) { *out << row.name; }

class NoQuotedList : public testing::TestWithParam<TextRow> {};

TEST_P(NoQuotedList, IsNone) { EXPECT_EQ(quoted_list(GetParam().cell), std::nullopt); }

INSTANTIATE_TEST_SUITE_P(
    Rows, NoQuotedList,
    testing::Values(
        TextRow{"Nothing", ""}, TextRow{"Empty", "[]"}, TextRow{"Blank", "[ ]"}, TextRow{"Numbers", "[1, 2]"},
        TextRow{"ANumberAmongTexts", "['a', 2]"}, TextRow{"None", "['a', None]"}, TextRow{"WithoutQuotes", "[a, b]"},
        TextRow{"ATuple", "('a', 'b')"}, TextRow{"ASet", "{'a'}"}, TextRow{"AListOfLists", "[['a']]"},
        TextRow{"Bytes", "[b'a']"}, TextRow{"ACommaBehind", "['a',]"}, TextRow{"ACommaInFront", "[,'a']"},
        TextRow{"NoComma", "['a' 'b']"}, TextRow{"TextBehind", "['a'] and more"}, TextRow{"ABlankBehind", "['a'] "},
        TextRow{"TextInFront", "see ['a']"}, TextRow{"NotClosed", "['a'"}, TextRow{"QuoteNotClosed", "['a]"},
        TextRow{"OtherQuoteAtTheEnd", "['a\"]"}, TextRow{"ATextAlone", "'a'"}, TextRow{"ALineEndInQuotes", "['a\nb']"},
        TextRow{"AnUnknownEscape", R"(['\d'])"}, TextRow{"PythonHasNoSuchSlash", R"(['a\/b'])"},
        TextRow{"AName", R"(['\N{DASH}'])"}, TextRow{"ACutEscape", R"(['\x4'])"},
        TextRow{"ASignedEscape", R"(['\x-1'])"}, TextRow{"EscapeAtTheEnd", "['\\"},
        TextRow{"HalfAPair", R"(["\ud83d"])"}, TextRow{"TwoFirstHalves", R"(["\ud83d\ud83d"])"},
        TextRow{"BeyondUnicode", R"(['\U00110000'])"}, TextRow{"Deep", std::string(100'000, '[')}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::test
