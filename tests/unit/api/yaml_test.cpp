#include "api/yaml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "golden.hpp"

namespace evaljob::test {
namespace {

struct Read {
    const char* name;
    const char* text;
    Json expected;
};

class YamlReads : public testing::TestWithParam<Read> {};

TEST_P(YamlReads, AsKubectlDoes) {
    const auto read = parse_yaml(GetParam().text, "f.yaml");
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, GetParam().expected) << read->dump();
    EXPECT_EQ(read->type(), GetParam().expected.type());
}

Json v(const Json& value) { return Json{{"v", value}}; }

INSTANTIATE_TEST_SUITE_P(
    Scalars, YamlReads,
    testing::Values(Read{"Integer", "v: 42", v(42)}, Read{"Negative", "v: -7", v(-7)}, Read{"Plus", "v: +7", v(7)},
                    Read{"Zero", "v: 0", v(0)}, Read{"Hexadecimal", "v: 0x1F", v(31)}, Read{"Octal", "v: 0o17", v(15)},
                    Read{"Largest64", "v: 9223372036854775807", v(9223372036854775807LL)},
                    Read{"Smallest64", "v: -9223372036854775808", v(Json::parse("-9223372036854775808"))},
                    Read{"LargestUnsigned", "v: 18446744073709551615", v(18446744073709551615ULL)},
                    Read{"Fraction", "v: 1.5", v(1.5)}, Read{"Exponent", "v: 1e3", v(1000.0)},
                    Read{"LeadingPoint", "v: .5", v(0.5)}, Read{"Version", "v: 1.2.3", v("1.2.3")},
                    Read{"Quantity", "v: 500m", v("500m")}, Read{"Date", "v: 2026-01-01", v("2026-01-01")},
                    Read{"Time", "v: 12:30:45", v("12:30:45")}, Read{"Address", "v: 127.0.0.1", v("127.0.0.1")},
                    Read{"Digest", "v: 1e3b0c44298fc1c149afbf4c", v("1e3b0c44298fc1c149afbf4c")},
                    Read{"DoubleQuotedNumber", "v: \"42\"", v("42")}, Read{"SingleQuotedNumber", "v: '42'", v("42")},
                    Read{"TaggedText", "v: !!str 42", v("42")}, Read{"TrueWord", "v: true", v(true)},
                    Read{"YesIsTrueInYaml11", "v: yes", v(true)}, Read{"OffIsFalseInYaml11", "v: off", v(false)},
                    Read{"QuotedYes", "v: 'yes'", v("yes")}, Read{"Null", "v: null", v(nullptr)},
                    Read{"Tilde", "v: ~", v(nullptr)}, Read{"Nothing", "v:", v(nullptr)},
                    Read{"QuotedNothing", "v: ''", v("")}, Read{"Block", "v: |\n  a\n  b\n", v("a\nb\n")},
                    Read{"Folded", "v: >\n  a\n  b\n", v("a b\n")}, Read{"Unicode", "v: Tüte", v("Tüte")},
                    Read{"EscapedNul", "v: \"a\\0\"", v(std::string("a\0", 2))}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Shapes, YamlReads,
    testing::Values(Read{"Nested", "a:\n  b:\n    - c: 1\n    - 2\n", Json::parse(R"({"a":{"b":[{"c":1},2]}})")},
                    Read{"Flow", "{a: {b: [x, 1]}, c: {}}", Json::parse(R"({"a":{"b":["x",1]},"c":{}})")},
                    Read{"List", "- 1\n- a\n", Json::parse(R"([1,"a"])")},
                    Read{"EmptyCollections", "a: {}\nb: []\n", Json::parse(R"({"a":{},"b":[]})")},
                    Read{"NumberAsKey", "1: x", Json{{"1", "x"}}}, Read{"StartAndEndMarks", "---\nv: 1\n...\n", v(1)},
                    Read{"ByteOrderMark", "\xEF\xBB\xBFv: 1", v(1)},
                    Read{"WindowsLines", "a: 1\r\nb: x\r\n", Json{{"a", 1}, {"b", "x"}}},
                    Read{"Comments", "# one\nv: 1 # two\n", v(1)},
                    Read{"AnchorOfAScalar", "a: &x 3\nb: *x\n", Json{{"a", 3}, {"b", 3}}},
                    Read{"AnchorOfAMap", "a: &x {k: 1}\nb: *x\n", Json::parse(R"({"a":{"k":1},"b":{"k":1}})")},
                    Read{"JsonWithTabs", "{\n\t\"v\":\t[1,\n\t2]\n}\n", v(Json::array({1, 2}))},
                    Read{"JsonSurrogatePair", R"({"v": "\ud834\udd1e"})", v("𝄞")},
                    Read{"JsonSlash", R"({"v": "a\/b"})", v("a/b")},
                    Read{"JsonLargeInteger", R"({"v": 9007199254740993})", v(9007199254740993LL)},
                    Read{"JsonWordsAreTexts", R"({"v": "yes"})", v("yes")}),
    [](const auto& row) { return row.param.name; });

struct Refused {
    const char* name;
    std::string text;
    const char* message;
};

class YamlRefuses : public testing::TestWithParam<Refused> {};

TEST_P(YamlRefuses, AndSaysWhere) {
    const auto read = parse_yaml(GetParam().text, "f.yaml");
    ASSERT_FALSE(read.has_value()) << read->dump();
    EXPECT_EQ(read.error().message, GetParam().message);
}

std::string nested(int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "[";
    for (int i = 0; i < depth; ++i) text += "]";
    return text;
}

std::string bomb() {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 10; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
        for (int j = 0; j < 9; ++j) text += ", " + before;
        text += "]\n";
    }
    return text;
}

INSTANTIATE_TEST_SUITE_P(
    Table, YamlRefuses,
    testing::Values(
        Refused{"Nothing", "", "f.yaml: holds no object; an EvalJob is expected"},
        Refused{"OnlyAComment", "# nothing\n", "f.yaml: holds no object; an EvalJob is expected"},
        Refused{"TwoDocuments", "a: 1\n---\nb: 2\n", "f.yaml: holds more than one document; one EvalJob a file"},
        Refused{"RepeatedKey", "a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n",
                "f.yaml:5:3: the key \"c\" stands here a second time"},
        Refused{"RepeatedKeyInFlow", "{a: 1, a: 2}", "f.yaml:1:8: the key \"a\" stands here a second time"},
        Refused{"RepeatedKeyInJson", R"({"a": {"b": 1, "b": 2}})", "f.yaml: the key \"b\" stands twice in one object"},
        Refused{"NullKey", "~: 1", "f.yaml:1:1: a key may not be null"},
        Refused{"ListAsKey", "? [a, b]\n: 1\n", "f.yaml:1:3: a key must be a text"},
        Refused{"MergeKey", "a: &x {k: 1}\nb:\n  <<: *x\n",
                "f.yaml:3:3: merge keys (<<) are not supported; write the members out"},
        Refused{"UnknownTag", "a: !secret b\n", "f.yaml:1:4: the tag !secret is not supported; leave it out"},
        Refused{
            "LeadingZero", "v: 0123\n",
            "f.yaml:1:4: 0123 is octal to some readers and decimal to others; quote it or leave out the leading zero"},
        Refused{"TooLargeInteger", "v: 18446744073709551616\n",
                "f.yaml:1:4: 18446744073709551616 is an integer of more than 64 bits; quote it if it is a text"},
        Refused{"TooSmallInteger", "v: -9223372036854775809\n",
                "f.yaml:1:4: -9223372036854775809 is an integer of more than 64 bits; quote it if it is a text"},
        Refused{"TooLargeNumber", "v: 1e999\n", "f.yaml:1:4: 1e999 is too large a number; quote it if it is a text"},
        Refused{"Infinity", "v: .inf\n",
                "f.yaml:1:4: .inf is a number to some readers only; quote it if it is a text, else write it out"},
        Refused{"Underscores", "v: 1_000\n",
                "f.yaml:1:4: 1_000 is a number to some readers only; quote it if it is a text, else write it out"},
        Refused{"TabAsIndentation", "a:\n\tb: 1\n", "f.yaml:2:3: YAML is indented by spaces, here stands a tab"},
        Refused{"UnclosedList", "a: [1, 2\n", "f.yaml:2:1: a list that was opened with [ is not closed"},
        Refused{"BrokenJson", "{\"a\": 1,, }", "f.yaml:1:9: a key may not be null"},
        Refused{"UnknownAnchor", "a: *x\n", "f.yaml:1:4: the referenced anchor is not defined"},
        Refused{"AnchorInsideItself", "a: &x [*x]\n", "f.yaml:1:8: an alias may not stand inside what it repeats"},
        Refused{"BillionLaughs", bomb(), "f.yaml:6:10: holds more than 200000 values, with what aliases repeat"},
        Refused{"TooDeep", "v: " + nested(101), "f.yaml:1:103: nested deeper than 100 levels"},
        Refused{"TooDeepJson", "{\"v\": " + nested(200) + "}", "f.yaml: is nested deeper than 100 levels"},
        Refused{"NoUtf8", "a: 1\nb: \xff\xfe\n", "f.yaml:2: is not UTF-8 text"},
        Refused{"CutCharacter", "a: \xc3", "f.yaml:1: is not UTF-8 text"},
        Refused{"NulByte", std::string("a: 1\nb: \0\n", 10), "f.yaml:2: is not UTF-8 text"},
        Refused{"TooLarge", std::string(max_yaml_bytes + 1, ' '),
                "f.yaml: is over 1 MiB; an EvalJob is a small file of YAML or JSON"}),
    [](const auto& row) { return row.param.name; });

TEST(Yaml, OfManyBracketsIsRefusedWithoutOverflowingTheStack) {
    for (const char* part : {"[", "{", "{a: ", "- ", "? ", "[{"}) {
        std::string text = "v:\n ";
        while (text.size() < 100000) text += part;
        EXPECT_FALSE(parse_yaml(text, "f").has_value()) << part;
    }
}

TEST(Yaml, EveryCutOfAFileIsReadOrRefusedButNeverThrows) {
    const std::string whole = read_source("tests/invalid_objects/objects.yaml").substr(0, 3000);
    for (std::size_t length = 0; length < whole.size(); length += 23) {
        const auto read = parse_yaml(whole.substr(0, length), "f");
        if (!read.has_value()) {
            EXPECT_EQ(read.error().reason, "InvalidYaml");
        }
    }
}

TEST(Yaml, IsWrittenSoThatItReadsTheSame) {
    const Json texts{"",
                     "yes",
                     "no",
                     "null",
                     "~",
                     "true",
                     "1",
                     "0x1",
                     "1.5",
                     "1e3",
                     ".5",
                     "-",
                     "a: b",
                     "# c",
                     "*x",
                     "&x",
                     "!t",
                     "a\nb",
                     " a",
                     "a ",
                     "\t",
                     "\"q\"",
                     "'q'",
                     "{}",
                     "[]",
                     "<<",
                     "0123",
                     "1_0",
                     "y",
                     "=",
                     "Tüte𝄞",
                     "%x",
                     "@x",
                     "`x",
                     "|",
                     ">",
                     ":",
                     "?",
                     "1:30",
                     "2026-01-01",
                     std::string("a\0b", 3),
                     ".inf",
                     "a #b",
                     "---",
                     "..."};
    const Json value{
        {"texts", texts},
        {"numbers", {0, -1, 9223372036854775807LL, 18446744073709551615ULL, 1.5}},
        {"empty", {{"object", Json::object()}, {"list", Json::array()}}},
        {"lists", Json::array({Json::array({1, 2}), Json::array(), Json::array({Json{{"a", 1}, {"b", 2}}})})},
        {"words", {true, false, nullptr}},
        {"yes", 1},
        {"", 2},
        {"1", 3}};
    const auto read = parse_yaml(to_yaml(value), "written");
    ASSERT_TRUE(read.has_value()) << read.error().message << "\n" << to_yaml(value);
    EXPECT_EQ(*read, value) << to_yaml(value);
}

TEST(YamlFile, IsReadOrNamed) {
    const auto missing = read_yaml_file("no/such/file.yaml");
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().reason, "NotFound");
    EXPECT_THAT(missing.error().message, testing::StartsWith("no/such/file.yaml: "));

    const auto folder = read_yaml_file(source_path("tests"));
    ASSERT_FALSE(folder.has_value());
    EXPECT_EQ(folder.error().reason, "ReadFailed");

    const std::string path = testing::TempDir() + "evaljob-yaml-test.yaml";
    std::ofstream(path) << "v: 1\n";
    const auto read = read_yaml_file(path);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, v(1));
    std::filesystem::resize_file(path, max_yaml_bytes + 1);
    const auto large = read_yaml_file(path);
    ASSERT_FALSE(large.has_value());
    EXPECT_EQ(large.error().reason, "TooLarge");
    std::remove(path.c_str());
}

}  // namespace
}  // namespace evaljob::test
