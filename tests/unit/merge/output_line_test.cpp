#include "evaljob-runner/merge/output_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evaljob {
namespace {

using testing::HasSubstr;

TEST(OutputLine, HasIdPredictionAndWhateverElse) {
    const auto line = read_output_line(R"( {"id": "a", "prediction": [1, "x"], "confidence": 0.5, "error": ""} )");
    ASSERT_TRUE(line.has_value()) << line.error().message;
    EXPECT_EQ(line->id, "a");
    EXPECT_EQ(line->prediction, Json::parse(R"([1, "x"])"));
    EXPECT_EQ(line->fields, Json::parse(R"({"confidence": 0.5, "error": ""})"));
    EXPECT_EQ(line->error, "");
}

TEST(OutputLine, AnIntegerAndItsTextAreOneId) {
    EXPECT_EQ(read_output_line(R"({"id": 7, "prediction": 1})")->id, "7");
    EXPECT_EQ(read_output_line(R"({"id": "7", "prediction": 1})")->id, "7");
    EXPECT_EQ(read_output_line(R"({"id": 18446744073709551615, "prediction": 1})")->id, "18446744073709551615");
}

TEST(OutputLine, AnErrorOrANullPredictionIsAFailedSample) {
    EXPECT_EQ(read_output_line(R"({"id": 7, "prediction": null})")->error, "the prediction is null");
    EXPECT_EQ(read_output_line(R"({"id": 7, "prediction": null, "error": "out of memory"})")->error, "out of memory");
    EXPECT_EQ(read_output_line(R"({"id": 7, "prediction": 1, "error": 0.25})")->error, "") << "a number of theirs";
}

std::string nested(std::size_t depth) {
    return R"({"id": 1, "prediction": )" + std::string(depth, '[') + std::string(depth, ']') + "}";
}

struct Row {
    const char* name;
    std::string line;
    const char* why;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class Refused : public testing::TestWithParam<Row> {};

TEST_P(Refused, SaysWhy) {
    const auto line = read_output_line(GetParam().line);
    ASSERT_FALSE(line.has_value());
    EXPECT_EQ(line.error().reason, "Damaged");
    EXPECT_THAT(line.error().message, HasSubstr(GetParam().why));
    EXPECT_LT(line.error().message.size(), 300U);
}

INSTANTIATE_TEST_SUITE_P(
    Lines, Refused,
    testing::Values(Row{"Torn", R"({"id": 1, "predic)", "is no JSON: parse error"},
                    Row{"NotANumber", R"({"id": 1, "prediction": NaN})", "is no JSON: parse error"},
                    Row{"TwoInOne", R"({"id": 1, "prediction": 1}{"id": 2, "prediction": 1})", "is no JSON"},
                    Row{"BrokenUtf8", "{\"id\": \"\xff\", \"prediction\": 1}", "ill-formed UTF-8"},
                    Row{"List", R"([1, 2])", "must be a JSON object, is [1,2]"},
                    Row{"NoId", R"({"prediction": 1})", "has no id"},
                    Row{"EmptyId", R"({"id": "", "prediction": 1})", "id is empty"},
                    Row{"FractionalId", R"({"id": 1.5, "prediction": 1})", "id must be a string or an integer, is 1.5"},
                    Row{"LongId", R"({"id": ")" + std::string(1025, 'x') + R"(", "prediction": 1})", "at most 1024"},
                    Row{"NoPrediction", R"({"id": 1, "predicted": 1})", "has no prediction (of sample \"1\")"},
                    Row{"KeyTwice", R"({"id": 1, "prediction": 1, "id": 2})", "has the key \"id\" twice"},
                    Row{"Deep", nested(65), "nested deeper than 64 levels"},
                    Row{"VeryDeep", nested(1'000'000), "nested deeper than 64 levels"},
                    Row{"LongLiteral", R"({"id": 1, "prediction": )" + std::string(100'000, 'x'), "is no JSON"},
                    Row{"TooLong", std::string(max_line_bytes + 1, ' '), "must have at most 4194304 bytes"}),
    [](const auto& row) { return row.param.name; });

TEST(OutputLine, NestedUpToTheLimitIsRead) { EXPECT_TRUE(read_output_line(nested(60)).has_value()); }

TEST(ClassOf, TakesTheNumberOrTheName) {
    const std::vector<std::string> classes{"Shirt", "Coat", "3"};
    EXPECT_EQ(*class_of(Json(1), classes), Json(1));
    EXPECT_EQ(*class_of(Json("Coat"), classes), Json(1));
    EXPECT_EQ(*class_of(Json("3"), classes), Json(2)) << "a class may be called by a number";
    EXPECT_EQ(*class_of(Json(17), {}), Json(17)) << "classes without names have no end";
}

TEST(ClassOf, RefusesWhatCannotBeAClass) {
    const std::vector<std::string> classes{"Shirt", "Coat"};
    for (const Json& wrong : {Json("coat"), Json("1"), Json(2), Json(-1), Json(1.0), Json(true), Json::array()}) {
        const auto number = class_of(wrong, classes);
        ASSERT_FALSE(number.has_value()) << wrong.dump();
        EXPECT_EQ(number.error().message,
                  "prediction must be the class's number, 0 to 1, or its name, is " + wrong.dump());
    }
}

}  // namespace
}  // namespace evaljob
