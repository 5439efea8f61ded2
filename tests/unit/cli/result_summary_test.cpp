#include "cli/result_summary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/json.hpp"

namespace evaljob {
namespace {

using testing::HasSubstr;

Json metric(const std::string& group, const std::string& value, int samples) {
    return {{"dataset", "digits"},
            {"name", "accuracy"},
            {"group", group},
            {"value", value},
            {"interval", {{"low", "0.910000"}, {"high", "0.932100"}}},
            {"samples", samples}};
}

TEST(ResultSummary, HasScoreIntervalGroupsProofAndPlaces) {
    EvalJobStatus status;
    status.results = Results{.samples = 10'000, .repeated = 0};
    const Json metrics{{"metrics", {metric("", "0.921200", 10'000), metric("Ankle boot", "0.968000", 1000)}}};
    const std::string text = result_summary(status, metrics, "out/results/sha256-ab");
    EXPECT_THAT(text, HasSubstr("digits          accuracy 0.9212   95 % interval 0.9100 to 0.9321   10,000 samples\n"));
    EXPECT_THAT(text, HasSubstr("  Ankle boot    accuracy 0.9680"));
    EXPECT_THAT(text, HasSubstr("10,000 samples, 0 missing, 0 failed, 0 conflicting; none was evaluated twice"));
    EXPECT_THAT(text, HasSubstr("report   out/results/sha256-ab/report.html"));
}

// A dataset's group printed a line that looked like a score, and cleared the screen above it.
TEST(ResultSummary, ShowsTheControlCharactersOfOthers) {
    Json hostile = metric("Boot\n  digits    accuracy 1.0000\x1b[2J\xe2\x80\xae", "0.5", 10);
    hostile["name"] = "right\r";
    const std::string text = result_summary({}, Json{{"metrics", {hostile}}}, "x");
    EXPECT_THAT(text, HasSubstr("  Boot\\n  digits    accuracy 1.0000\\x1b[2J\\u202e  right\\r 0.5"));
    EXPECT_THAT(text, testing::Not(HasSubstr("\x1b")));
}

TEST(ResultSummary, RoundsAsTheReportAndKubectlDo) {
    EvalJobStatus status;
    const Json metrics{{"metrics", {metric("", "0.666667", 3)}}};
    EXPECT_THAT(result_summary(status, metrics, "x"), HasSubstr("accuracy 0.6667 "));
}

TEST(ResultSummary, SaysWhichAnswersMayBeNone) {
    EvalJobStatus status;
    status.results = Results{.samples = 31, .answers = {.empty = 8, .truncated = 7, .filtered = 0, .refused = 1}};
    EXPECT_THAT(
        result_summary(status, Json::object(), "x"),
        HasSubstr("  answers  8 empty, 7 truncated (the limit of tokens ended them), 1 refused (by the server)\n"));
    status.results->answers = {};
    EXPECT_THAT(result_summary(status, Json::object(), "x"), testing::Not(HasSubstr("answers")));
}

TEST(ResultSummary, SaysHowManyAnswersAreListsOfRightOnes) {
    EvalJobStatus status;
    const Json metrics = Json::parse(R"({"evaluated":{"datasets":[{"name":"ocr","samples":1000,"targetLists":999},
        {"name":"qa","samples":5}]}})");
    EXPECT_THAT(result_summary(status, metrics, "x"),
                HasSubstr("  targets  ocr: 999 of 1,000 answers are lists of quoted texts, of which each is right\n"));
    EXPECT_THAT(result_summary(status, metrics, "x"), testing::Not(HasSubstr("qa:")));
}

TEST(ResultSummary, SaysHowManyWereFoundTwice) {
    EvalJobStatus status;
    status.results = Results{.samples = 10, .repeated = 3};
    EXPECT_THAT(result_summary(status, Json::object(), "x"), HasSubstr("3 found twice and counted once"));
}

TEST(ResultSummary, SaysThatCompletenessIsUnknownInsteadOfACountOfMissing) {
    EvalJobStatus status;
    status.results = Results{.samples = 10, .missing = std::nullopt};
    const std::string text = result_summary(status, Json::object(), "x");
    EXPECT_THAT(text, HasSubstr("10 samples, CompletenessUnknown"));
    EXPECT_THAT(text, testing::Not(HasSubstr("missing")));
}

}  // namespace
}  // namespace evaljob
