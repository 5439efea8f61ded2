#include "api/json_members.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/json.hpp"
#include "api/utf8.hpp"

namespace evaljob {
namespace {

using testing::HasSubstr;

std::string nested(std::size_t levels) {
    return "{\"a\":" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
}

struct Row {
    const char* name;
    std::string text;
    bool json;       // as JSON
    bool any_bytes;  // where strings may hold any bytes
};

class JsonMembers : public testing::TestWithParam<Row> {};

TEST_P(JsonMembers, AreThoseOfAnObjectAndOfNothingElse) {
    EXPECT_EQ(json_members(GetParam().text, Strictness::Json).has_value(), GetParam().json);
    EXPECT_EQ(json_members(GetParam().text, Strictness::AnyBytes).has_value(), GetParam().any_bytes);
}

INSTANTIATE_TEST_SUITE_P(
    Table, JsonMembers,
    testing::Values(
        Row{"Empty", "{}", true, true}, Row{"Space", " \t{ \"a\" : 1 , \"b\" : [ ] }\r\n", true, true},
        Row{"EveryKind", R"({"a":"x","b":-1.5e+3,"c":true,"d":false,"e":null,"f":[1,{"g":[]}],"h":{}})", true, true},
        Row{"Escapes", R"({"a":"\"\\\/\b\f\n\r\t\u00e9"})", true, true},
        Row{"LoneSurrogate", R"({"a":"\ud800"})", true, true}, Row{"LatinByte", "{\"a\":\"\xe9\"}", false, true},
        Row{"TabInAString", "{\"a\":\"\t\"}", false, true},
        Row{"NulInAString", std::string("{\"a\":\"\0\"}", 9), false, true},
        Row{"DeepEnough", nested(max_json_depth), true, true}, Row{"TooDeep", nested(max_json_depth + 1), false, false},
        Row{"FarTooDeep", nested(1'000'000), false, false}, Row{"Nothing", "", false, false},
        Row{"AnArray", "[]", false, false}, Row{"Cut", "{\"a\":1", false, false},
        Row{"CutString", "{\"a", false, false}, Row{"More", "{} {}", false, false},
        Row{"NoColon", "{\"a\" 1}", false, false}, Row{"NoValue", "{\"a\":}", false, false},
        Row{"CommaAtTheEnd", "{\"a\":1,}", false, false}, Row{"CommaAtTheEndOfAList", "{\"a\":[1,]}", false, false},
        Row{"KeyWithoutQuotes", "{a:1}", false, false}, Row{"LeadingZero", "{\"a\":01}", false, false},
        Row{"Plus", "{\"a\":+1}", false, false}, Row{"PointAlone", "{\"a\":1.}", false, false},
        Row{"Hexadecimal", "{\"a\":0x1}", false, false}, Row{"NaN", "{\"a\":NaN}", false, true},
        Row{"Infinity", "{\"a\":[-Infinity,Infinity]}", false, true}, Row{"Nan", "{\"a\":nan}", false, false},
        Row{"BadEscape", R"({"a":"\x"})", false, false}, Row{"ShortEscape", R"({"a":"\u12"})", false, false},
        Row{"KeyTwice", R"({"a":1,"a":1})", false, false},
        Row{"KeyTwiceInOtherLetters", R"({"a":1,"\u0061":1})", false, false}),
    [](const auto& row) { return row.param.name; });

TEST(JsonFirstItem, IsThatOfAnArrayAsItStandsThere) {
    EXPECT_EQ(json_first_item("[ {\"a\" : 1.50} , 2]", Strictness::Json), "{\"a\" : 1.50}");
    EXPECT_EQ(json_first_item("[\"\xe9\"]", Strictness::AnyBytes), "\"\xe9\"");
    for (const char* none : {"[]", "[ ]", "{}", "7", "\"[1]\"", "null", ""})
        EXPECT_FALSE(json_first_item(none, Strictness::Json)) << none;
}

TEST(JsonItems, AreThoseOfAnArrayAsTheyStandThere) {
    using Items = std::vector<std::string_view>;
    EXPECT_EQ(json_items("[ {\"a\" : 1.50} , 2]", Strictness::Json), (Items{"{\"a\" : 1.50}", "2"}));
    EXPECT_EQ(json_items("[ ]", Strictness::Json), Items());
    for (const char* none : {"[1,]", "[1", "{}", "7", "null", ""})
        EXPECT_FALSE(json_items(none, Strictness::Json)) << none;
}

TEST(JsonMembersText, StandsAsItIs) {
    const auto members =
        json_members(R"({ "z" : 1.50, "\u0061":{"b" : 10000000000000000000000}, "c":"é" })", Strictness::Json);
    ASSERT_TRUE(members);
    ASSERT_EQ(members->size(), 3U);
    EXPECT_EQ((*members)[0].key, "z");
    EXPECT_EQ((*members)[0].value, "1.50");
    EXPECT_EQ((*members)[1].key, "a");
    EXPECT_EQ((*members)[1].key_text, "\"\\u0061\"");
    EXPECT_EQ((*members)[1].value, "{\"b\" : 10000000000000000000000}");
    EXPECT_EQ((*members)[2].value, "\"é\"");
}

TEST(JsonMembersText, NamesTheKeyThatStandsTwice) {
    const auto members = json_members(R"({"one":1,"one":2})", Strictness::Json);
    ASSERT_FALSE(members);
    EXPECT_THAT(members.error().message, HasSubstr("has a key twice: \"one\""));
}

TEST(JsonStringBytes, AreDecoded) {
    EXPECT_EQ(json_string_bytes(R"("a\n\u00e9\ud83d\ude00\/")"), "a\né😀/");
    EXPECT_EQ(json_string_bytes("\"\""), "");
    EXPECT_EQ(json_string_bytes(R"("\ud83dx\ude00")"), "\xed\xa0\xbdx\xed\xb8\x80");
    EXPECT_EQ(json_string_bytes("7"), std::nullopt);
    EXPECT_EQ(json_string_bytes("{}"), std::nullopt);
}

struct Bytes {
    const char* name;
    std::string bytes;
    bool is_utf8;
};

class Utf8 : public testing::TestWithParam<Bytes> {};

TEST_P(Utf8, IsToldFromOtherBytesAndBothComeBackFromJson) {
    const auto& [name, bytes, expected] = GetParam();
    EXPECT_EQ(is_utf8(bytes), expected);
    const Json json = text_to_json(bytes);
    EXPECT_EQ(json.is_string(), expected);
    std::string back;
    ASSERT_TRUE(text_from_json(Json::parse(json.dump()), back));
    EXPECT_EQ(back, bytes);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Utf8,
    testing::Values(Bytes{"Empty", "", true}, Bytes{"Nul", std::string(1, '\0'), true}, Bytes{"Last1", "\x7f", true},
                    Bytes{"Continuation", "\x80", false}, Bytes{"Overlong2", "\xc1\xbf", false},
                    Bytes{"First2", "\xc2\x80", true}, Bytes{"Last2", "\xdf\xbf", true}, Bytes{"Cut2", "\xdf", false},
                    Bytes{"Overlong3", "\xe0\x9f\xbf", false}, Bytes{"First3", "\xe0\xa0\x80", true},
                    Bytes{"BeforeSurrogates", "\xed\x9f\xbf", true}, Bytes{"FirstSurrogate", "\xed\xa0\x80", false},
                    Bytes{"LastSurrogate", "\xed\xbf\xbf", false}, Bytes{"AfterSurrogates", "\xee\x80\x80", true},
                    Bytes{"Overlong4", "\xf0\x8f\xbf\xbf", false}, Bytes{"First4", "\xf0\x90\x80\x80", true},
                    Bytes{"Last4", "\xf4\x8f\xbf\xbf", true}, Bytes{"Beyond", "\xf4\x90\x80\x80", false},
                    Bytes{"F5", "\xf5\x80\x80\x80", false}, Bytes{"BadThird", "\xe2\x82\x20", false},
                    Bytes{"BadFourth", "\xf0\x9f\x98\x20", false}),
    [](const auto& row) { return row.param.name; });

TEST(TextFromJson, TakesNoOtherValue) {
    std::string bytes;
    for (const char* other :
         {"null", "7", "[]", "{}", R"({"base64":7})", R"({"base64":"!"})", R"({"base64":"","a":1})"})
        EXPECT_FALSE(text_from_json(Json::parse(other), bytes)) << other;
}

}  // namespace
}  // namespace evaljob
