#include "api/canonical_json.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace evaljob::test {
namespace {

struct Row {
    const char* name;
    Json value;
};

class CanonicalText : public testing::TestWithParam<Row> {};

TEST_P(CanonicalText, IsWhatTheLibraryWritesAndIsKnownAgain) {
    const std::string text = CanonicalJson(GetParam().value).text();
    EXPECT_EQ(text, GetParam().value.dump(-1, ' ', false, Json::error_handler_t::replace));
    const auto again = CanonicalJson::from_text(text);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->text(), text);
    EXPECT_EQ(again->is_null(), GetParam().value.is_null());
}

Json nested(int depth) {
    Json value = 1;
    for (int i = 0; i < depth; ++i) value = i % 2 == 0 ? Json::array({value}) : Json{{"a", value}};
    return value;
}

INSTANTIATE_TEST_SUITE_P(Table, CanonicalText,
                         testing::Values(Row{"Null", nullptr}, Row{"True", true}, Row{"False", false}, Row{"Zero", 0},
                                         Row{"Negative", -17}, Row{"Largest", UINT64_MAX}, Row{"Smallest", INT64_MIN},
                                         Row{"Fraction", 0.1}, Row{"WholeFraction", 2.0}, Row{"SmallFraction", 1.5e-9},
                                         Row{"EmptyText", ""}, Row{"Text", "Ankle boot"},
                                         Row{"Escapes", "\"\\/\b\f\n\r\t\x01\x1f\x7f"},
                                         Row{"OtherLetters", "ä 日本 \U0001F642 \u2028"}, Row{"NoUtf8", "a\xff\xc3"},
                                         Row{"EmptyArray", Json::array()}, Row{"EmptyObject", Json::object()},
                                         Row{"Items", {1, "two", nullptr, {3, 4}}},
                                         Row{"Members", {{"b", 1}, {"a", {{"y", "x"}, {"ä", 2}}}, {"", false}}},
                                         Row{"KeyWithEscapes", {{"a\"b", 1}, {"a\nb", 2}}}, Row{"Deep", nested(40)}),
                         [](const auto& row) { return row.param.name; });

struct Foreign {
    const char* name;
    std::string text;
};

class ForeignText : public testing::TestWithParam<Foreign> {};

TEST_P(ForeignText, IsNotCanonical) { EXPECT_FALSE(CanonicalJson::from_text(GetParam().text)); }

INSTANTIATE_TEST_SUITE_P(Table, ForeignText,
                         testing::Values(Foreign{"Empty", ""}, Foreign{"NoJson", "abc"}, Foreign{"Cut", R"({"a":)"},
                                         Foreign{"Behind", "1 "}, Foreign{"Before", " 1"},
                                         Foreign{"Between", R"({"a": 1})"}, Foreign{"Order", R"({"b":1,"a":2})"},
                                         Foreign{"TheSameKeyTwice", R"({"a":1,"a":1})"}, Foreign{"LeadingZero", "01"},
                                         Foreign{"MinusZero", "-0"}, Foreign{"Minus", "-"}, Foreign{"Plus", "+1"},
                                         Foreign{"Exponent", "1e2"}, Foreign{"Word", "nul"},
                                         Foreign{"Escape", R"("\u0041")"}, Foreign{"EscapedSlash", R"("\/")"},
                                         Foreign{"UpperCase", R"("\u001F")"}, Foreign{"NoEscape", R"("\x")"},
                                         Foreign{"TextNotEnded", R"("a)"}, Foreign{"BackslashAtTheEnd", "\"a\\"},
                                         Foreign{"ControlCharacter", "\"\n\""}, Foreign{"NoUtf8", "\"\xff\""},
                                         Foreign{"Surrogate", "\"\xed\xa0\x80\""}, Foreign{"TrailingComma", "[1,]"},
                                         Foreign{"OtherBracket", "[1}"}, Foreign{"Deep", std::string(100'000, '[')},
                                         Foreign{"TwoValues", "1,2"}),
                         [](const auto& row) { return row.param.name; });

TEST(CanonicalJson, IsMadeOfWhateverMakesAValue) {
    EXPECT_EQ(CanonicalJson().text(), "null");
    EXPECT_EQ(CanonicalJson(7).text(), "7");
    EXPECT_EQ(CanonicalJson("text").text(), "\"text\"");
    const CanonicalJson object = {{"tokens", 7}, {"a", nullptr}};
    EXPECT_EQ(object.text(), R"({"a":null,"tokens":7})");
    EXPECT_EQ(object.value(), Json::parse(object.text()));
}

std::vector<std::string> items_of(std::string_view text, bool& complete) {
    ArrayItems items(text);
    std::vector<std::string> found;
    while (const auto item = items.next()) found.emplace_back(*item);
    complete = items.complete();
    return found;
}

struct Items {
    const char* name;
    std::string text;
    std::vector<std::string> items;
    bool complete;
};

class ItemsOfAnArray : public testing::TestWithParam<Items> {};

TEST_P(ItemsOfAnArray, AreGivenAsTheyStand) {
    bool complete = false;
    EXPECT_EQ(items_of(GetParam().text, complete), GetParam().items);
    EXPECT_EQ(complete, GetParam().complete);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ItemsOfAnArray,
    testing::Values(
        Items{"None", "[]", {}, true}, Items{"One", "[17]", {"17"}, true},
        Items{"Nested", R"([[1,[2]],{"a":[3,4],"b":"]"},5])", {"[1,[2]]", R"({"a":[3,4],"b":"]"})", "5"}, true},
        Items{"Texts", R"(["a,b","\"]\\",""])", {R"("a,b")", R"("\"]\\")", R"("")"}, true},
        Items{"EmptyItem", "[1,]", {"1", ""}, true}, Items{"NoArray", "1,2", {}, false},
        Items{"Nothing", "", {}, false}, Items{"NotEnded", "[1,2", {"1"}, false},
        Items{"TextNotEnded", R"([1,"a])", {"1"}, false}, Items{"Behind", "[1]2", {"1"}, false},
        Items{"OtherBracket", "[1}", {}, false}),
    [](const auto& row) { return row.param.name; });

TEST(ItemsOfAnArray, AreReadByWhatTheyShouldBe) {
    std::uint32_t number = 0;
    for (const char* text : {"-1", "4294967296", "01", "1.0", "1e2", "\"1\"", "", "+1"})
        EXPECT_FALSE(read_item(std::string_view(text), number)) << text;
    EXPECT_FALSE(read_item(std::nullopt, number));
    EXPECT_TRUE(read_item(std::string_view("4294967295"), number));
    EXPECT_EQ(number, UINT32_MAX);
    std::string string;
    for (const char* text : {"1", "\"", "\"a", "a\"", "\"\\x\"", "\"\n\"", "\"\\u0041\"", "\"a\"b\""})
        EXPECT_FALSE(read_item(std::string_view(text), string)) << text;
    EXPECT_TRUE(read_item(std::string_view("\"a\\nä\""), string));
    EXPECT_EQ(string, "a\nä");
    Json value;
    for (const char* text : {"{]", "{\"a\": 1}", "1 ", ""})
        EXPECT_FALSE(read_item(std::string_view(text), value)) << text;
    EXPECT_TRUE(read_item(std::string_view("{\"a\":1}"), value));
    EXPECT_EQ(value, Json({{"a", 1}}));
}

}  // namespace
}  // namespace evaljob::test
