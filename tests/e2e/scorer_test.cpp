// A program that scores predictions, with the real programs: its scores are published beside those of our own metrics,
// the same bytes whether it dies or not.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/e2e/evaluation.hpp"
#include "tests/places.hpp"

namespace evaljob::e2e {
namespace {

constexpr int questions = 300;

Json job(const std::string& died, const std::string& scorer) {
    const Json task = {{"type", "Generation"},
                       {"metrics", {"ExactMatch", "F1", "ROUGEL", "VQAAccuracy"}},
                       {"groupBy", "kind"},
                       {"scorer", {{"command", {"python3", scorer, died}}, {"scores", {"right", "length"}}}}};
    const Json dataset = {{"name", "questions"}, {"format", "JSONL"}, {"path", "questions.jsonl"}, {"task", task}};
    return {{"apiVersion", "evaljob.dev/v1alpha1"},
            {"kind", "EvalJob"},
            {"metadata", {{"name", "qa"}}},
            {"spec",
             {{"eval",
               {{"model", {{"format", "Command"}, {"command", {"python3", "answer.py"}}}},
                {"datasets", Json::array({dataset})},
                {"inference", {{"device", "CPU"}, {"maxBatchSize", 8}}}}},
              {"merge", {{"maxFailedSamples", questions}, {"backoffLimit", 0}}},
              {"storage", {{"path", "output"}}}}}};
}

/// The questions, and the programs, beside the job's file.
void write_inputs(const Evaluation& evaluation) {
    std::ofstream lines(evaluation.folder() + "/questions.jsonl", std::ios::binary);
    for (int i = 1; i <= questions; ++i) {
        const std::string target = "answer " + std::to_string(i);
        const Json line = {{"kind", i % 2 == 0 ? "even" : "odd"}, {"target", {target, "Answer " + std::to_string(i)}}};
        lines << line.dump() << "\n";
    }
    lines.close();
    for (const char* name : {"answer.py", "score.py"})
        std::ofstream(evaluation.folder() + "/" + name, std::ios::binary)
            << read_text(std::string(EVALJOB_SOURCE_DIR) + "/tests/e2e/" + name);
}

std::unique_ptr<Program> run_job(Evaluation& evaluation, const Json& job) {
    write_inputs(evaluation);
    return evaluation.start_text(job.dump(1));
}

int run(Evaluation& evaluation, const std::string& died, const std::string& scorer = "score.py") {
    return run_job(evaluation, job(died, scorer))->wait();
}

TEST(ScorerRun, PublishesItsScoresAndTheSameOnesWhenItDies) {
    Evaluation undisturbed("scorer");
    std::ofstream(undisturbed.folder() + "/died", std::ios::binary);  // so it does not
    ASSERT_EQ(run(undisturbed, "died"), 0) << undisturbed.console();
    Evaluation evaluation("scorer");
    ASSERT_EQ(run(evaluation, "died"), 0) << evaluation.console();
    EXPECT_TRUE(std::filesystem::exists(evaluation.folder() + "/died"));
    EXPECT_EQ(evaluation.published(), undisturbed.published());
    std::istringstream lines(evaluation.published().at("results.jsonl"));
    int items = 0;
    for (std::string text; std::getline(lines, text); ++items) {
        const Json line = Json::parse(text);
        ASSERT_EQ(line["right"].get<double>(), line["exact_match"].get<double>()) << text;
        for (const char* name : {"length", "f1", "rouge_l", "vqa_accuracy"})
            ASSERT_TRUE(line[name].is_number()) << text;
    }
    EXPECT_EQ(items, questions);
    const Json metrics = Json::parse(evaluation.published().at("metrics.json"));
    EXPECT_EQ(metrics["metrics"][0]["name"], "right") << "the scorer's first score is the score";
    EXPECT_EQ(metrics["metrics"][0]["interval"]["method"], "Wilson") << "of zeros and ones";
}

// It was looked for when everything had been evaluated, in vain.
TEST(ScorerRun, ThatIsNotThereEndsTheJobBeforeItsFirstSample) {
    Evaluation evaluation("scorer");
    Json without = job("died", "score.py");
    without["spec"]["eval"]["datasets"][0]["task"]["scorer"]["command"][0] = "no-such-judge";
    ASSERT_EQ(run_job(evaluation, without)->wait(), 1);
    EXPECT_NE(evaluation.console().find("exited 12"), std::string::npos) << evaluation.console();
    EXPECT_NE(evaluation.console().find("dataset questions: task.scorer.command: no-such-judge: No such file"),
              std::string::npos)
        << evaluation.console();
    EXPECT_EQ(evaluation.records(), 0U);
    EXPECT_FALSE(std::filesystem::exists(evaluation.output() + "/manifest.jsonl")) << "it was not frozen";
}

// --output took the scorer's folder with it.
TEST(ScorerRun, IsFoundBesideTheFileWhereverTheOutputGoes) {
    Evaluation evaluation("scorer");
    write_inputs(evaluation);
    std::ofstream(evaluation.folder() + "/died", std::ios::binary);  // so it does not die
    std::ofstream(evaluation.file(), std::ios::binary) << job("died", "score.py").dump(1);
    ASSERT_EQ(evaluation.run(evaluation.file(), {"--output", evaluation.folder() + "/elsewhere/out"})->wait(), 0)
        << evaluation.console();
    EXPECT_NE(evaluation.console().find("right 0."), std::string::npos) << evaluation.console();
}

TEST(ScorerRun, ThatFailsPublishesNothingAndAnotherScorerNeedsNoSampleAgain) {
    Evaluation evaluation("scorer");
    ASSERT_NE(run(evaluation, "died", "no-such-file.py"), 0);
    EXPECT_NE(evaluation.console().find("task.scorer.command: python3: sample 1: "), std::string::npos)
        << evaluation.console();
    EXPECT_EQ(evaluation.result_folder(), "");
    const std::uint64_t records = evaluation.records();
    ASSERT_EQ(run(evaluation, "died"), 0) << evaluation.console();
    EXPECT_EQ(evaluation.records(), records);
}

}  // namespace
}  // namespace evaljob::e2e
