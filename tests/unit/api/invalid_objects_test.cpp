#include "invalid_objects.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <set>

#include "api/evaljob.hpp"
#include "golden.hpp"

namespace evaljob::test {
namespace {

std::string test_name(const std::string& words) {
    std::string name;
    for (const char c : words) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    return name;
}

class InvalidObjects : public testing::TestWithParam<InvalidObject> {};

TEST_P(InvalidObjects, AreRefusedWithThisMessage) {
    const auto job = parse_evaljob(GetParam().object);
    ASSERT_FALSE(job.has_value());
    EXPECT_EQ(job.error().message, GetParam().message);
    EXPECT_EQ(job.error().reason, "InvalidField");
    EXPECT_FALSE(job.error().retry);
}

INSTANTIATE_TEST_SUITE_P(Table, InvalidObjects, testing::ValuesIn(invalid_objects()),
                         [](const auto& row) { return test_name(row.param.name); });

TEST(InvalidObjectsTable, StartsFromAValidObject) {
    const auto job = parse_evaljob(valid_object());
    EXPECT_TRUE(job.has_value()) << job.error().message;
}

TEST(InvalidObjectsTable, NamesEachRowOnceAndKnowsItsMarks) {
    std::set<std::string> names;
    for (const InvalidObject& row : invalid_objects()) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_THAT(row.server, testing::AnyOf("", "strict", "metadata")) << row.name;
    }
    EXPECT_GE(names.size(), 60U);
}

// What the table cannot hold without being large itself.

TEST(InvalidObjectsTooLarge, SpecOverOneMebibyte) {
    Json object = valid_object();
    object["spec"]["template"]["x"] = letters(1U << 20U);
    const auto job = parse_evaljob(object);
    ASSERT_FALSE(job.has_value());
    EXPECT_THAT(job.error().message, testing::StartsWith("spec: must be at most 1048576 bytes of JSON, is "));
}

TEST(InvalidObjectsTooLarge, ManyViolationsAreCountedNotListed) {
    Json object = valid_object();
    Json& spec = object["spec"];
    for (int i = 0; i < 70; ++i) spec["zzzzzzzzzz" + std::to_string(i)] = 1;
    const auto job = parse_evaljob(object);
    ASSERT_FALSE(job.has_value());
    EXPECT_THAT(job.error().message, testing::EndsWith("\n… and 20 more"));
}

TEST(InvalidObjectsTooLarge, AHugeValueIsShownShortenedAndBrokenTextDoesNotThrow) {
    Json object = valid_object();
    object["spec"]["eval"]["model"]["format"] = std::string("\xff\xfe") + letters(100000);
    const auto job = parse_evaljob(object);
    ASSERT_FALSE(job.has_value());
    EXPECT_LT(job.error().message.size(), 300U);
}

TEST(AnyJson, IsParsedOrRefusedButNeverThrows) {
    // Every member of a valid object in turn becomes a value of every other kind.
    const Json flat = valid_object().flatten();
    const Json kinds{nullptr,
                     true,
                     -1,
                     1.5,
                     "x",
                     Json::array(),
                     Json::object(),
                     Json::array({nullptr}),
                     Json{{"name", nullptr}},
                     18446744073709551615ULL};
    std::set<std::string> pointers;
    for (const auto& [pointer, leaf] : flat.items()) {
        for (Json::json_pointer at(pointer); !at.empty(); at = at.parent_pointer()) pointers.insert(at.to_string());
    }
    int refused = 0;
    for (const std::string& pointer : pointers) {
        for (const Json& kind : kinds) {
            Json object = valid_object();
            object[Json::json_pointer(pointer)] = kind;
            const auto job = parse_evaljob(object);
            if (job.has_value()) {
                EXPECT_TRUE(parse_evaljob(Json{{"apiVersion", api_version},
                                               {"kind", evaljob::kind},
                                               {"metadata", {{"name", job->meta.name}}},
                                               {"spec", spec_to_json(job->spec)}})
                                .has_value())
                    << pointer << " = " << kind.dump();
            } else {
                ++refused;
                EXPECT_FALSE(job.error().message.empty());
            }
        }
    }
    EXPECT_GT(refused, 200);
    for (const Json& kind : kinds) EXPECT_FALSE(parse_evaljob(kind).has_value());
}

}  // namespace
}  // namespace evaljob::test
