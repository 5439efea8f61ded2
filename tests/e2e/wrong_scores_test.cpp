// Small datasets that were once scored wrongly, through `evaljob run`. The program, wrong_scores/say.py, answers each
// sample with its member `say`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/e2e/evaluation.hpp"
#include "tests/places.hpp"

namespace evaljob::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string inputs = std::string(EVALJOB_SOURCE_DIR) + "/tests/e2e/wrong_scores/";

/// One run of say.py over one of the files.
class Case {
public:
    Case(const std::string& file, const std::vector<const char*>& metrics, const Json& more_of_task = Json::object()) {
        std::filesystem::copy_file(inputs + "say.py", evaluation_.folder() + "/say.py");
        std::filesystem::copy_file(inputs + file, evaluation_.folder() + "/" + file);
        Json task = {{"type", "Generation"}, {"metrics", metrics}};
        task.update(more_of_task);
        dataset_ = {{"name", "case"},
                    {"format", file.ends_with(".tsv") ? "TSV" : "JSONL"},
                    {"path", file},
                    {"task", std::move(task)}};
        model_ = {{"format", "Command"}, {"command", {"python3", "say.py"}}};
    }

    Json& model() { return model_; }
    const Evaluation& evaluation() const { return evaluation_; }

    /// By sample, in the file's order.
    std::vector<Json> run(int max_failed = 0) {
        const Json job = {{"apiVersion", "evaljob.dev/v1alpha1"},
                          {"kind", "EvalJob"},
                          {"metadata", {{"name", "case"}}},
                          {"spec",
                           {{"eval",
                             {{"model", model_},
                              {"datasets", Json::array({dataset_})},
                              {"inference", {{"device", "CPU"}, {"maxBatchSize", 8}}}}},
                            {"merge", {{"maxFailedSamples", max_failed}, {"backoffLimit", 0}}},
                            {"storage", {{"path", "output"}}}}}};
        status_ = evaluation_.start_text(job.dump(1))->wait();
        const auto published = evaluation_.published();
        return published.empty() ? std::vector<Json>() : lines_of(published.at("results.jsonl"));
    }

    int status() const { return status_; }
    std::string console() const { return evaluation_.console(); }
    Json metrics() const { return Json::parse(evaluation_.published().at("metrics.json")); }
    std::string logs() const {
        std::string all;
        for (const auto& entry : std::filesystem::directory_iterator(evaluation_.output() + "/local/logs"))
            all += read_text(entry.path().string());
        return all;
    }

private:
    Evaluation evaluation_{"wrong-scores"};
    Json model_;
    Json dataset_;
    int status_ = -1;
};

std::vector<double> scores_of(const std::vector<Json>& lines, const char* metric) {
    std::vector<double> scores;
    for (const Json& line : lines) scores.push_back(line.at(metric).get<double>());
    return scores;
}

TEST(WrongScores, NothingAndArticlesAndMarksAreNotTheLetterA) {
    Case letter("letter-a.jsonl", {"NormalizedExactMatch", "F1"});
    const auto lines = letter.run();
    ASSERT_EQ(letter.status(), 0) << letter.console();
    const std::vector<double> right{0, 0, 0, 0, 0, 1};  // "", "the", "...", "B" for A; "" for B; "A" for a
    EXPECT_EQ(scores_of(lines, "normalized_exact_match"), right);
    EXPECT_EQ(scores_of(lines, "f1"), right);
    EXPECT_THAT(letter.console(), HasSubstr("answers  2 empty"));
    EXPECT_EQ(letter.metrics().at("answers").at(0).at("empty"), 2);
}

TEST(WrongScores, EachOfAListInACellIsARightAnswer) {
    Case list("list-answer.tsv", {"ExactMatch", "NormalizedExactMatch"});
    const auto lines = list.run();
    ASSERT_EQ(list.status(), 0) << list.console();
    EXPECT_EQ(scores_of(lines, "exact_match"), (std::vector<double>{1, 1, 1}));
    EXPECT_EQ(scores_of(lines, "normalized_exact_match"), (std::vector<double>{1, 1, 1}));
    EXPECT_EQ(lines.at(2).at("target"), Json({"foo's", "foo"}));
    EXPECT_THAT(list.console(), HasSubstr("case: 3 of 3 answers are lists of quoted texts, of which each is right"));
    EXPECT_THAT(list.logs(), HasSubstr("dataset case: the answer of 3 of 3 samples is a list of quoted texts"));
    EXPECT_EQ(list.metrics().at("evaluated").at("datasets").at(0).at("targetLists"), 3);
}

TEST(WrongScores, AListInACellIsOneTextWhereTheTaskSaysSo) {
    Case list("list-answer.tsv", {"ExactMatch"}, {{"targets", "Text"}});
    EXPECT_EQ(scores_of(list.run(), "exact_match"), (std::vector<double>{0, 0, 0})) << list.console();
    EXPECT_THAT(list.console(), Not(HasSubstr("lists of quoted texts")));
}

TEST(WrongScores, VqaCountsEachOfAListInACell) {
    Case list("list-answer-vqa.tsv", {"VQAAccuracy"});
    EXPECT_EQ(scores_of(list.run(), "vqa_accuracy"), (std::vector<double>{1, 1})) << list.console();
}

TEST(WrongScores, OptionsBehindAnEmptyCellAreAsked) {
    Case gap("gap-in-options.tsv", {"ExactMatch"});
    // A model by the adapter of VLMEvalKit that answers with the letter of the last option that it is shown.
    std::filesystem::copy_file(std::string(EVALJOB_SOURCE_DIR) + "/examples/vlmevalkit/vlmevalkit.py",
                               gap.evaluation().folder() + "/vlmevalkit.py");
    std::ofstream(gap.evaluation().folder() + "/last_option.py")
        << "class Model:\n"
           "    def generate(self, message, dataset=None):\n"
           "        return message[-1]['value'].split('\\n')[-1][0]\n";
    gap.model()["command"] = {"python3", "vlmevalkit.py", "last_option:Model", "--prompt", "{options}"};
    EXPECT_EQ(scores_of(gap.run(), "exact_match"), (std::vector<double>{1, 1})) << gap.console();
}

TEST(WrongScores, AnImageThatIsMissingFailsItsSampleAlone) {
    Case image("list-answer-vqa.tsv", {"ExactMatch"});
    std::ofstream(image.evaluation().folder() + "/list-answer-vqa.tsv")
        << "index\tsay\timage_path\tanswer\n1\tyes\tnot-there.png\tyes\n2\tyes\t\tyes\n";
    const auto lines = image.run(1);
    ASSERT_EQ(image.status(), 0) << image.console();
    EXPECT_THAT(lines.at(0).at("error").get<std::string>(),
                HasSubstr("image_path not-there.png: No such file or directory"));
    EXPECT_EQ(lines.at(1).at("exact_match"), 1);
    EXPECT_THAT(image.logs(), HasSubstr("dataset case: the image_path of 1 of 2 samples cannot be read"));
}

TEST(WrongScores, WhenAllFailForOneReasonTheReasonIsSaidOnce) {
    Case failing("letter-a.jsonl", {"ExactMatch"});
    std::ofstream(failing.evaluation().folder() + "/say.py")
        << "import json, sys\n"
           "print(json.dumps({'ready': True}), flush=True)\n"
           "for line in sys.stdin:\n"
           "    r = json.loads(line)\n"
           "    print(json.dumps({'request': r['request'], 'error': 'answered 400: sample ' + r['id'] + ' is bad'}), "
           "flush=True)\n";
    failing.run();
    EXPECT_NE(failing.status(), 0);
    const std::string said = failing.console();
    EXPECT_THAT(said,
                HasSubstr("6 of 6 samples failed, merge.maxFailedSamples is 0. 6 times: answered 400: sample 1 is "
                          "bad. Mend the cause and run the same command again"));
    const std::string ids = "1, 2, 3, 4, 5";
    ASSERT_NE(said.find(ids), std::string::npos);
    EXPECT_EQ(said.find(ids), said.rfind(ids)) << "once: " << said;
}

}  // namespace
}  // namespace evaljob::e2e
