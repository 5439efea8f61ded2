// Programs that score predictions: what they are asked, what becomes of their answers, and of them when they misbehave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "api/exit_code.hpp"
#include "evaljob-runner/launch/own_environment.hpp"
#include "evaljob-runner/merge/merge_main.hpp"
#include "evaljob-runner/merge/scorer_protocol.hpp"
#include "run_folder.hpp"
#include "tests/places.hpp"

namespace evaljob {
namespace {

using test::RunFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> score_names{"quality", "tone"};

struct AnswerRow {
    const char* name;
    const char* line;
    std::vector<Points> points;
    const char* error;  // part of it
};
void PrintTo(const AnswerRow& row, std::ostream* out) { *out << row.name; }

class ScorerAnswers : public testing::TestWithParam<AnswerRow> {};

TEST_P(ScorerAnswers, AreReadStrictly) {
    const auto answer = read_scorer_answer(GetParam().line, score_names);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->request, 3U);
    EXPECT_EQ(answer->points, GetParam().points);
    EXPECT_THAT(answer->error, HasSubstr(GetParam().error));
    EXPECT_EQ(answer->error.empty(), !GetParam().points.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ScorerAnswers,
    testing::Values(
        AnswerRow{"Numbers", R"({"request":3,"scores":{"tone":-2,"quality":0.1234567}})", {123457, -2000000}, ""},
        AnswerRow{
            "TheNearestMillionth", R"({"scores":{"quality":1e-7,"tone":0.6666666666},"request":3})", {0, 666667}, ""},
        AnswerRow{
            "TheLargest", R"({"request":3,"scores":{"quality":1000000,"tone":-1e6}})", {most_points, -most_points}, ""},
        AnswerRow{"TooLarge",
                  R"({"request":3,"scores":{"quality":1000001,"tone":0}})",
                  {},
                  "quality must be from -1000000 to 1000000, is 1000001"},
        AnswerRow{"AText", R"({"request":3,"scores":{"quality":"1","tone":0}})", {}, "must be a number, is \"1\""},
        AnswerRow{"ABoolean", R"({"request":3,"scores":{"quality":1,"tone":true}})", {}, "tone must be a number"},
        AnswerRow{"OneIsMissing", R"({"request":3,"scores":{"quality":1}})", {}, "no score tone"},
        AnswerRow{"OneTooMany", R"({"request":3,"scores":{"quality":1,"tone":0,"more":0}})", {}, "the score \"more\""},
        AnswerRow{"NoScores", R"({"request":3})", {}, "neither scores"},
        AnswerRow{"ScoresThatAreNoObject", R"({"request":3,"scores":[1,2]})", {}, "neither scores"},
        AnswerRow{"Error", R"({"request":3,"error":"no such judge"})", {}, "it says: no such judge"},
        AnswerRow{
            "ErrorBesideScores", R"({"request":3,"error":"x","scores":{"quality":1,"tone":0}})", {}, "it says: x"}),
    [](const auto& row) { return row.param.name; });

TEST(ScorerLines, ThatAreNoAnswerAreNothing) {
    for (const char* line :
         {"", "loading…", "{", "[1]", "{}", R"({"request":-1,"scores":{}})", R"({"request":"3"})",
          R"({"request":3,"scores":{"quality":NaN,"tone":0}})", "{\"request\":3,\"error\":\"\xff\"}"})
        EXPECT_FALSE(read_scorer_answer(line, score_names)) << line;
}

TEST(ScorerRequest, SaysAllThatIsKnown) {
    const ManifestSample sample{0, "q\"1", "", Json::parse(R"(["a", {"base64": "/w=="}])"), ""};
    EXPECT_EQ(Json::parse(scorer_request(7, "qa", sample, 2, R"({"base64":"/w=="})")), Json::parse(R"({"request": 7,
        "dataset": "qa", "id": "q\"1", "repeat": 2, "prediction": {"base64": "/w=="}, "target": ["a", {"base64": "/w=="}]})"));
    const ManifestSample one{0, "1", "", "a", ""};
    EXPECT_EQ(Json::parse(scorer_request(8, "qa", one, 0, "\"b\""))["target"], Json::parse(R"(["a"])"));
}

/// A finished run whose predictions say what the scorer does.
struct ScoredRun : RunFolder {
    explicit ScoredRun(const std::vector<Json>& predictions) {
        manifest = Manifest();
        manifest.config = {
            {"datasets",
             Json::array(
                 {{{"name", "qa"}, {"task", {{"type", "Generation"}, {"metrics", Json::array({"ExactMatch"})}}}}})}};
        std::vector<Record> records;
        for (std::size_t i = 0; i < predictions.size(); ++i) {
            const std::string id = "q" + std::to_string(i);
            manifest.samples.push_back({0, id, std::string(32, 'b'), "abc", i % 2 == 0 ? "even" : "odd"});
            Record record{0, id, 0, {1, 0}, predictions[i], Json::object(), ""};
            if (predictions[i].is_null()) record.error = "too long";
            records.push_back(std::move(record));
        }
        manifest.batches = plan_batches(manifest.samples, 1, 1024);
        add_shard(0, records, 0);
        finish();
    }

    MergeOutcome merged(int timeout = 600) {
        MergeOptions all = options();
        all.max_failed_samples = 1;
        all.scoring.environment = own_environment();
        all.scoring.storage_root = shared;
        all.scoring.scorers["qa"] =
            Scorer{{"python3", EVALJOB_SOURCE_DIR "/tests/unit/merge/misscore.py", shared}, "", score_names, timeout};
        return run_merge(all);
    }

    std::vector<std::string> lines(const std::string& name) const {
        std::istringstream text(read(name));
        std::vector<std::string> lines;
        for (std::string line; std::getline(text, line);) lines.push_back(line);
        return lines;
    }
    std::size_t starts() const { return lines("starts").size(); }

    std::vector<Json> results(const MergeOutcome& outcome) const {
        std::vector<Json> results;
        for (const std::string& line : lines(outcome.report.path + "/results.jsonl"))
            results.push_back(Json::parse(line));
        return results;
    }
};

TEST(Scorer, ScoresEveryPredictionAndItsFirstScoreIsTheScore) {
    ScoredRun run({"abc", {{"base64", "/w=="}}, nullptr, "abcdef"});
    const MergeOutcome outcome = run.merged();
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    const auto results = run.results(outcome);
    ASSERT_EQ(results.size(), 4U);
    EXPECT_EQ(results[0]["quality"], 1.0);
    EXPECT_EQ(results[0]["tone"], -2.5);
    EXPECT_EQ(results[0]["exact_match"], 1);
    EXPECT_EQ(results[1]["quality"], 0.5);
    EXPECT_EQ(results[2]["quality"], 0.0) << "it has failed";
    EXPECT_EQ(results[3]["quality"], 2.0);
    EXPECT_EQ(run.lines("asked").size(), 3U) << "who has failed is not asked about";
    ASSERT_EQ(outcome.report.metrics.size(), 1U);
    EXPECT_EQ(outcome.report.metrics[0].name, "quality");
    EXPECT_EQ(outcome.report.metrics[0].value, "0.875000");
    const Json metrics = Json::parse(run.read(outcome.report.path + "/metrics.json"));
    ASSERT_EQ(metrics["metrics"].size(), 9U) << "three metrics, each over all and of two groups";
    EXPECT_EQ(metrics["metrics"][3]["name"], "tone");
    EXPECT_EQ(metrics["metrics"][3]["value"], "-1.500000");
    EXPECT_EQ(metrics["metrics"][6]["correct"], 1);
    EXPECT_EQ(metrics["scorers"]["qa"]["scores"], Json(score_names));
    EXPECT_THAT(run.read(outcome.report.path + "/results.csv"), HasSubstr("error,quality,tone,exact_match\r\n"));
    const std::string report = run.read(outcome.report.path + "/report.html");
    for (const char* part : {"Quality on <strong>qa</strong>", "mean of 4 samples", "Tone per group", "Lowest scores"})
        EXPECT_THAT(report, HasSubstr(part));
}

TEST(Scorer, IsNoPartOfTheIdentity) {
    ScoredRun run({"abc"});
    const MergeOutcome with = run.merged();
    const MergeOutcome without = run_merge(run.options());
    EXPECT_EQ(with.report.identity, without.report.identity);
    EXPECT_NE(with.report.digest, without.report.digest);
    EXPECT_EQ(run.merged().report.digest, with.report.digest);
}

struct BearableRow {
    const char* name;
    std::vector<Json> predictions;
    std::vector<double> qualities;
    std::size_t starts;
    int timeout = 600;
};
void PrintTo(const BearableRow& row, std::ostream* out) { *out << row.name; }

class ScorerIsBorne : public testing::TestWithParam<BearableRow> {};

TEST_P(ScorerIsBorne, WithTheSameScores) {
    ScoredRun run(GetParam().predictions);
    const MergeOutcome outcome = run.merged(GetParam().timeout);
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    std::vector<double> qualities;
    for (const Json& result : run.results(outcome)) qualities.push_back(result["quality"].get<double>());
    EXPECT_EQ(qualities, GetParam().qualities);
    EXPECT_EQ(run.starts(), GetParam().starts);
}

INSTANTIATE_TEST_SUITE_P(Rows, ScorerIsBorne,
                         testing::Values(BearableRow{"AnswersInAnotherOrder", {"later", "later", "abc"}, {0, 0, 1}, 1},
                                         BearableRow{"DiesOnce", {"abc", "die once", "abc"}, {1, 2.666667, 1}, 2},
                                         BearableRow{"HasAnErrorOnce", {"error once", "abc"}, {3.333333, 1}, 1},
                                         BearableRow{"AnswersTwice", {"twice", "abc"}, {1, 1}, 1},
                                         BearableRow{"NobodyToAskAbout", {nullptr}, {0}, 0}),
                         [](const auto& row) { return row.param.name; });

TEST(Scorer, IsAskedAboutMoreThanItMayHaveOpen) {
    std::vector<Json> predictions(500, "abc");
    predictions[77] = "die once";
    ScoredRun run(predictions);
    const MergeOutcome outcome = run.merged();
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    EXPECT_EQ(run.starts(), 2U);
    const auto results = run.results(outcome);
    EXPECT_EQ(std::count_if(results.begin(), results.end(), [](const Json& r) { return r["quality"] == 1.0; }), 499);
}

struct UnbearableRow {
    const char* name;
    const char* prediction;  // of the second sample of three
    const char* why;
    std::size_t starts;
    int timeout = 600;
};
void PrintTo(const UnbearableRow& row, std::ostream* out) { *out << row.name; }

class ScorerFails : public testing::TestWithParam<UnbearableRow> {};

TEST_P(ScorerFails, NamingTheSampleAndNothingIsPublished) {
    ScoredRun run({"abc", GetParam().prediction, "abc"});
    const MergeOutcome outcome = run.merged(GetParam().timeout);
    EXPECT_EQ(outcome.exit_code, exit_code::internal);
    EXPECT_FALSE(outcome.report.published);
    EXPECT_THAT(outcome.report.error, AllOf(HasSubstr("dataset qa: task.scorer.command: python3: sample q1: "),
                                            HasSubstr(GetParam().why), HasSubstr("mend the scorer")));
    EXPECT_FALSE(run.exists("CURRENT"));
    EXPECT_EQ(run.starts(), GetParam().starts);
}

// Once with all three open, then three times alone.
INSTANTIATE_TEST_SUITE_P(
    Rows, ScorerFails,
    testing::Values(UnbearableRow{"Dies", "die", "3 times: it was ended by signal 9", 4},
                    UnbearableRow{"Exits", "exit", "3 times: it exited with 7", 4},
                    UnbearableRow{"Hangs", "hang", "no answer for 3 s; its last line that was none: a line that", 4, 3},
                    UnbearableRow{"WritesWithoutEnd", "endless", "a line of more than 1048576 bytes", 4},
                    UnbearableRow{"GivesNoNumber", R"({"request":N,"scores":{"quality":"good","tone":0}})",
                                  "3 times: its score quality must be a number", 1},
                    UnbearableRow{"GivesAnError", R"({"request":N,"error":"no such judge"})",
                                  "3 times: it says: no such judge", 1}),
    [](const auto& row) { return row.param.name; });

TEST(Scorer, ThatIsNotThereIsBadInput) {
    ScoredRun run({"abc"});
    MergeOptions options = run.options();
    options.scoring = {{{"qa", Scorer{{"no-such-judge"}, "", {"quality"}, {}}}}, run.shared, own_environment()};
    const MergeOutcome outcome = run_merge(options);
    EXPECT_EQ(outcome.exit_code, exit_code::bad_input);
    EXPECT_THAT(outcome.report.error,
                HasSubstr("dataset qa: task.scorer.command: no-such-judge: No such file or directory"));
}

TEST(Scorer, OfADatasetThatThereIsNotIsBadInput) {
    ScoredRun run({"abc"});
    MergeOptions options = run.options();
    options.scoring.scorers["other"] = Scorer{{"no-such-judge"}, "", {"quality"}, {}};
    const MergeOutcome outcome = run_merge(options);
    EXPECT_EQ(outcome.exit_code, exit_code::bad_input);
    EXPECT_THAT(outcome.report.error, HasSubstr("spec.eval: names a scorer for a dataset"));
}

TEST(Scorer, ComesToTheMergeThroughItsEnvironment) {
    ScoredRun run({"abc"});
    Environment environment = own_environment();
    environment["EVALJOB_SHARED_DIR"] = run.shared;
    environment["EVALJOB_STORAGE_ROOT"] = run.shared;
    environment["EVALJOB_TERMINATION_LOG"] = run.shared + "/log";
    Eval eval;
    eval.model.format = ModelFormat::Command;
    eval.model.command = {"answer"};
    Dataset dataset;
    dataset.name = "qa";
    dataset.format = DatasetFormat::JSONL;
    dataset.path = "qa.jsonl";
    dataset.task.type = TaskType::Generation;
    dataset.task.metrics = {TaskMetric::ExactMatch};
    dataset.task.scorer =
        Scorer{{"python3", EVALJOB_SOURCE_DIR "/tests/unit/merge/misscore.py", run.shared}, "", score_names, {}};
    eval.datasets.push_back(dataset);
    run.write("spec", eval_to_json(eval).dump());
    environment["EVALJOB_RUN_FOLDER"] = run.shared;
    environment["EVALJOB_SPEC_SHA256"] = sha256_hex(run.read("spec"));
    environment["EVALJOB_IDENTITY"] = run.identity();
    testing::internal::CaptureStdout();
    EXPECT_EQ(merge_main(environment), exit_code::success);
    EXPECT_THAT(testing::internal::GetCapturedStdout(),
                HasSubstr("qa: quality 1.0000 (95 % interval 0.2065 to 1.0000), 1 samples\n"));
}

}  // namespace
}  // namespace evaljob
