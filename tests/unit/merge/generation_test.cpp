// Texts: how they are compared, and what a merge makes of a run that generated them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "api/exit_code.hpp"
#include "api/utf8.hpp"
#include "evaljob-runner/merge/grading.hpp"
#include "evaljob-runner/merge/text_metrics.hpp"
#include "run_folder.hpp"
#include "tests/places.hpp"

namespace evaljob {
namespace {

using test::RunFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(NormalizedText, IsWhatPythonMakesOfIt) {
    std::ifstream lines(EVALJOB_SOURCE_DIR "/tests/golden/merge/normalized.jsonl");
    int rows = 0;
    for (std::string line; std::getline(lines, line); ++rows) {
        const Json row = Json::parse(line);
        EXPECT_EQ(normalized_text(row[0].get<std::string>()), row[1].get<std::string>()) << line;
    }
    EXPECT_GT(rows, 100);
}

TEST(NormalizedText, LeavesBytesThatAreNoUtf8) {
    EXPECT_EQ(normalized_text("The \xff Caf\xe9!"), "\xff caf\xe9");
    EXPECT_EQ(normalized_text("\xed\xa0\xbd"), "\xed\xa0\xbd");
    EXPECT_NE(normalized_text("\xff"), normalized_text("\xfe"));
}

struct Row {
    const char* name;
    Json prediction;
    Json target;
    bool exact;
    bool normalized;
};

class Graded : public testing::TestWithParam<Row> {};

Manifest texts_manifest() {
    Manifest m;
    m.config = {
        {"datasets",
         Json::array({{{"name", "qa"},
                       {"task", {{"type", "Generation"}, {"metrics", {"ExactMatch", "NormalizedExactMatch"}}}}}})}};
    return m;
}

TEST_P(Graded, ByEachMetric) {
    const std::string prediction = GetParam().prediction.dump();
    Outcome outcome;
    outcome.state = ItemState::Predicted;
    outcome.prediction = prediction;
    EXPECT_THAT(Grading(texts_manifest(), 0).grade(GetParam().target, outcome),
                ElementsAre(GetParam().exact ? full_points : 0, GetParam().normalized ? full_points : 0));
    outcome.state = ItemState::Failed;
    EXPECT_THAT(Grading(texts_manifest(), 0).grade(GetParam().target, outcome), ElementsAre(0, 0));
}

INSTANTIATE_TEST_SUITE_P(
    Table, Graded,
    testing::Values(Row{"Equal", "42", "42", true, true}, Row{"Other", "42", "43", false, false},
                    Row{"OtherCase", "Paris", "paris", false, true}, Row{"Article", "the Seine", "Seine", false, true},
                    Row{"SpaceBehind", "42 ", "42", false, true}, Row{"Empty", "", "", true, true},
                    Row{"AnArticleIsNotNothing", "The", "", false, false},
                    Row{"NothingIsNotTheLetterA", "", "A", false, false},
                    Row{"OneOfSeveral", "b", {"a", "b"}, true, true},
                    Row{"NoneOfSeveral", "c", {"a", "b"}, false, false},
                    Row{"SameBytes", {{"base64", "/w=="}}, {{"base64", "/w=="}}, true, true},
                    Row{"OtherBytes", {{"base64", "/w=="}}, {{"base64", "/g=="}}, false, false},
                    Row{"ANumberIsNoText", 42, "42", false, false},
                    Row{"ReplacementCharacter", {{"base64", "/w=="}}, "\xef\xbf\xbd", false, false}),
    [](const auto& row) { return row.param.name; });

TEST(Graded, AChoiceByItsLetterAndByTheOnePerByte) {
    Manifest manifest = texts_manifest();
    manifest.config["datasets"][0]["task"] = {{"type", "MultipleChoice"},
                                              {"metrics", {"NormalizedAccuracy", "Accuracy"}}};
    const Grading grading(manifest, 0);
    EXPECT_THAT(grading.metrics(), ElementsAre("normalized_accuracy", "accuracy"));
    Outcome outcome;
    outcome.state = ItemState::Predicted;
    outcome.prediction = "\"B\"";
    outcome.detail = R"({"confidence":"0.5","normalized":"C"})";
    EXPECT_THAT(grading.grade("B", outcome), ElementsAre(0, full_points));
    EXPECT_THAT(grading.grade("C", outcome), ElementsAre(full_points, 0));
    EXPECT_THAT(grading.grade("A", outcome), ElementsAre(0, 0));
    outcome.detail = "{}";  // of an image of one's own
    EXPECT_THAT(grading.grade("B", outcome), ElementsAre(0, full_points));
}

TEST(Graded, ByWhatIsRightOfATextTheBestTargetCounting) {
    Manifest manifest = texts_manifest();
    manifest.config["datasets"][0]["task"]["metrics"] = {"F1", "ROUGEL", "VQAAccuracy", "ExactMatch"};
    const Grading grading(manifest, 0);
    EXPECT_THAT(grading.metrics(), ElementsAre("f1", "rouge_l", "vqa_accuracy", "exact_match"));
    Outcome outcome;
    outcome.state = ItemState::Predicted;
    outcome.prediction = "\"the red ball\"";
    EXPECT_THAT(grading.grade({"a dog", "one red ball", "no"}, outcome), ElementsAre(800'000, 666'667, 0, 0));
    EXPECT_THAT(grading.grade({"red ball", "a red ball", "no", "no"}, outcome),
                ElementsAre(full_points, 800'000, 500'000, 0));
    outcome.state = ItemState::Failed;
    EXPECT_THAT(grading.grade("the red ball", outcome), ElementsAre(0, 0, 0, 0));
}

/// Four questions in two groups, each asked twice; `answers` by question and repeat.
struct TextRun : RunFolder {
    TextRun() {
        manifest = texts_manifest();
        manifest.repeats = 2;
        for (int i = 0; i < 4; ++i)
            manifest.samples.push_back({0, "q" + std::to_string(i), std::string(32, 'b'), "Answer " + std::to_string(i),
                                        i < 2 ? "b-group" : "a-group"});
        manifest.batches = plan_batches(manifest.samples, 2, 3);
    }

    Record record(int question, std::uint32_t repeat, const Json& prediction, std::uint64_t lease = 0) const {
        return {0, "q" + std::to_string(question), repeat, {1, lease}, prediction, Json::object(), ""};
    }

    void add_answers() {
        std::vector<Record> records;
        for (int question = 0; question < 4; ++question)
            for (std::uint32_t repeat = 0; repeat < 2; ++repeat)
                records.push_back(record(question, repeat, "Answer " + std::to_string(question)));
        records[1].prediction = "answer 0.";                   // right when normalised
        records[2].prediction = text_to_json("Answer 1\xff");  // wrong
        records[2].detail = {{"tokens", 7}};
        records[5].prediction = nullptr;
        records[5].error = "too long";
        add_shard(0, records, 0);
        finish();
    }
};

/// One of them has failed, which is allowed.
MergeOutcome merged_answers(TextRun& run) {
    run.add_answers();
    auto options = run.options();
    options.max_failed_samples = 1;
    return run_merge(options);
}

TEST(GenerationMerge, ScoresEveryMetricOverAllAndByGroupAndEveryRepeatIsASample) {
    TextRun run;
    const MergeOutcome outcome = merged_answers(run);
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    EXPECT_EQ(outcome.report.samples, 8);
    ASSERT_EQ(outcome.report.metrics.size(), 1U);
    EXPECT_EQ(outcome.report.metrics[0].name, "exact_match");
    EXPECT_EQ(outcome.report.metrics[0].value, "0.625000");
    const Json metrics = Json::parse(run.read(outcome.report.path + "/metrics.json"));
    std::map<std::string, std::string> values;
    for (const Json& metric : metrics["metrics"])
        values[metric["name"].get<std::string>() + "/" + metric["group"].get<std::string>()] =
            std::to_string(metric["correct"].get<int>()) + " of " + std::to_string(metric["samples"].get<int>());
    EXPECT_EQ(values, (std::map<std::string, std::string>{{"exact_match/", "5 of 8"},
                                                          {"exact_match/a-group", "3 of 4"},
                                                          {"exact_match/b-group", "2 of 4"},
                                                          {"normalized_exact_match/", "6 of 8"},
                                                          {"normalized_exact_match/a-group", "3 of 4"},
                                                          {"normalized_exact_match/b-group", "3 of 4"}}));
    EXPECT_FALSE(run.exists(outcome.report.path + "/confusion.csv")) << "texts are no classes";
}

TEST(GenerationMerge, PublishesTextsWithoutALoss) {
    TextRun run;
    const MergeOutcome outcome = merged_answers(run);
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    std::istringstream lines(run.read(outcome.report.path + "/results.jsonl"));
    std::vector<Json> results;
    for (std::string line; std::getline(lines, line);) results.push_back(Json::parse(line));
    ASSERT_EQ(results.size(), 8U);
    EXPECT_EQ(results[1],
              Json::parse(R"({"id":"q0","dataset":"qa","repeat":1,"prediction":"answer 0.","target":"Answer 0",
        "group":"b-group","exact_match":0,"normalized_exact_match":1})"));
    EXPECT_EQ(results[2], Json::parse(R"({"id":"q1","dataset":"qa","repeat":0,"prediction":{"base64":"QW5zd2VyIDH/"},
        "target":"Answer 1","group":"b-group","fields":{"tokens":7},"exact_match":0,"normalized_exact_match":0})"));
    std::string bytes;
    ASSERT_TRUE(text_from_json(results[2]["prediction"], bytes));
    EXPECT_EQ(bytes, "Answer 1\xff");
    EXPECT_EQ(results[5], Json::parse(R"({"id":"q2","dataset":"qa","repeat":1,"prediction":null,"target":"Answer 2",
        "group":"a-group","error":"too long","exact_match":0,"normalized_exact_match":0})"));
    const std::string csv = run.read(outcome.report.path + "/results.csv");
    EXPECT_THAT(
        csv,
        HasSubstr("id,dataset,repeat,prediction,target,group,confidence,error,exact_match,normalized_exact_match\r\n"));
    EXPECT_THAT(csv, HasSubstr("q0,qa,1,answer 0.,Answer 0,b-group,,,0,1\r\n"));
    const std::string report = run.read(outcome.report.path + "/report.html");
    for (const char* part : {"Exact match on <strong>qa</strong>", "Normalized exact match on", "Exact match per group",
                             "Wrong answers", "answer 0."})
        EXPECT_THAT(report, HasSubstr(part));
    for (const char* part : {"What was taken for what", "confusion.csv", "per class"})
        EXPECT_THAT(report, Not(HasSubstr(part)));
}

TEST(GenerationMerge, AMeanHasItsStandardErrorAndInterval) {
    TextRun run;
    run.manifest.config["datasets"][0]["task"]["metrics"] = {"F1", "ExactMatch"};
    const MergeOutcome outcome = merged_answers(run);
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    // Six answers have both words right; "Answer 1\xff" has one of two; one failed.
    ASSERT_EQ(outcome.report.metrics.size(), 1U);
    EXPECT_EQ(outcome.report.metrics[0].name, "f1");
    EXPECT_EQ(outcome.report.metrics[0].value, "0.812500");
    EXPECT_EQ(outcome.report.metrics[0].stderr_, "0.119678") << "of the means of four samples";
    const Json metrics = Json::parse(run.read(outcome.report.path + "/metrics.json"));
    EXPECT_EQ(metrics["metrics"][0], Json::parse(R"({"dataset":"qa","name":"f1","group":"","value":"0.812500",
        "stderr":"0.119678","samples":8,
        "interval":{"low":"0.431630","high":"1.000000","confidence":"0.95","method":"Student"}})"));
    EXPECT_EQ(metrics["metrics"][3]["name"], "exact_match");
    EXPECT_EQ(metrics["metrics"][3]["correct"], 5);
    const std::string results = run.read(outcome.report.path + "/results.jsonl");
    EXPECT_THAT(results, HasSubstr(R"("f1":0.500000,"exact_match":0)"));
    const std::string csv = run.read(outcome.report.path + "/results.csv");
    EXPECT_THAT(csv, HasSubstr("q0,qa,1,answer 0.,Answer 0,b-group,,,1.000000,0\r\n"));
    const std::string report = run.read(outcome.report.path + "/report.html");
    for (const char* part : {"F1 on <strong>qa</strong>", "mean of 8 samples; standard error 11.97 %", "F1 per group",
                             "Lowest scores", "50.00 %", "Exact match on", "5 of 8 samples are right"})
        EXPECT_THAT(report, HasSubstr(part));
    EXPECT_THAT(report, Not(HasSubstr("Wrong answers")));
}

TEST(GenerationMerge, ARepeatThatIsMissingIsNamed) {
    TextRun run;
    run.add_shard(0, {run.record(0, 0, "a")}, 0);
    run.finish();
    const MergeOutcome outcome = run_merge(run.options());
    EXPECT_EQ(outcome.exit_code, exit_code::proof);
    EXPECT_THAT(outcome.report.error, HasSubstr("7 of 8 samples have no record: q0#1, q1#0"));
}

}  // namespace
}  // namespace evaljob
