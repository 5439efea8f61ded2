// The vision-language example: the runner's answers and scores are PyTorch's, from any number of ranks, in any batches;
// texts that are drawn by chance too depend on nothing but the seed. examples/vision-language/reference.py made the
// numbers that they are held against, in another way: one question at a time and without a cache.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/e2e/evaluation.hpp"
#include "tests/e2e/vision_language.hpp"

namespace evaljob::e2e {
namespace {

using namespace vision_language;

const Published& of_two_by_two() {
    static const Published known = published({.nodes = 2, .procs = 2});
    return known;
}

TEST(VisionLanguage, GivesTheSameBytesWhenRanksAreKilled) {
    EXPECT_EQ(published_though_ranks_die(job({.nodes = 2, .procs = 2}), vision_language::kills), of_two_by_two());
}

TEST(VisionLanguage, AnswersAndScoresArePyTorchs) { expect_reference_answers(of_two_by_two()); }

TEST(VisionLanguage, ChoicesAndTheirScoresArePyTorchs) {
    expect_reference_choices(published({.nodes = 1, .procs = 2, .choices = true}));
}

TEST(VisionLanguage, GivesTheSameBytesFromOneRank) { EXPECT_EQ(published({}), of_two_by_two()); }

TEST(VisionLanguage, GivesTheSameAnswersInOtherBatches) {
    const auto alone = lines_of(published({.batch = 1, .limit = 100}).at("results.jsonl"));
    const auto together = lines_of(of_two_by_two().at("results.jsonl"));
    ASSERT_EQ(alone.size(), 100U);
    for (std::size_t i = 0; i < alone.size(); ++i)
        EXPECT_EQ(alone[i].at("prediction"), together[i].at("prediction")) << i;
}

TEST(VisionLanguage, GivesTheSameAnswersInBatchesUnderABudgetOfTokens) {
    const Variant run{.nodes = 2, .limit = 100, .tokens = 8192};  // an image counts as 1024
    const Published planned = published(run);
    Variant on_one = run;
    on_one.nodes = 1;
    EXPECT_EQ(published(on_one), planned);
    const auto results = lines_of(planned.at("results.jsonl"));
    const auto together = lines_of(of_two_by_two().at("results.jsonl"));
    ASSERT_EQ(results.size(), 100U);
    for (std::size_t i = 0; i < results.size(); ++i) {
        EXPECT_EQ(results[i].at("id"), together[i].at("id")) << "results stand in the dataset's order";
        EXPECT_EQ(results[i].at("prediction"), together[i].at("prediction")) << i;
    }
}

TEST(VisionLanguage, DrawsTheSameByChanceInAnyBatchAndOnAnyRank) {
    const Variant run{.batch = 32, .limit = 60, .temperature = "1.5"};
    const Published one = published(run);
    Variant other = run;
    other.nodes = 2;
    EXPECT_EQ(published(other), one);
    other.batch = 7;
    const auto results = lines_of(one.at("results.jsonl"));
    const auto others = lines_of(published(other).at("results.jsonl"));
    ASSERT_EQ(results.size(), 180U);
    int differ = 0;
    for (std::size_t i = 0; i < results.size(); ++i) {
        EXPECT_EQ(results[i].at("prediction"), others.at(i).at("prediction")) << i;
        differ += results[i].at("prediction") != results[i - i % 3].at("prediction") ? 1 : 0;
    }
    EXPECT_GT(differ, 20) << "each repeat has a seed of its own";
}

const Variant refilled{.batch = 64, .refill = 8};

TEST(VisionLanguage, GivesTheSameBytesWhenRowsAreRefilledAndRanksAreKilled) {
    const Published one = published(refilled);
    expect_reference_answers(one);
    Variant four = refilled;
    four.nodes = four.procs = 2;
    EXPECT_EQ(published_though_ranks_die(job(four), vision_language::kills), one);
}

TEST(VisionLanguage, DrawsTheSameByChanceWhenRowsAreRefilled) {
    Variant run{.batch = 32, .limit = 60, .temperature = "1.5"};
    const auto planned = lines_of(published(run).at("results.jsonl"));
    run.refill = 5;
    const auto again = lines_of(published(run).at("results.jsonl"));
    ASSERT_EQ(planned.size(), 180U);
    ASSERT_EQ(again.size(), planned.size());
    for (std::size_t i = 0; i < planned.size(); ++i)
        EXPECT_EQ(again[i].at("prediction"), planned[i].at("prediction")) << i;
}

struct Row {
    const char* name;
    std::function<void(Json& job)> spoil;
    std::string says;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

const Row rows[] = {
    {"MoreTokensThanTheModelWrites", [](Json& job) { eval_of(job)["datasets"][0]["task"]["maxNewTokens"] = 25; },
     "dataset questions: task.maxNewTokens: is 25, the model writes at most 24"},
    {"AModelThatClassifies",
     [](Json& job) { eval_of(job)["model"]["path"] = EVALJOB_SOURCE_DIR "/examples/fashion-mnist/model.pt"; },
     "dataset questions: task.type: a model that generates texts has an extra file evaljob.json (docs/runner.md); this "
     "one "
     "has none"},
};

class BadGeneration : public testing::TestWithParam<Row> {};

TEST_P(BadGeneration, IsNamedAndPublishesNothing) {
    Evaluation evaluation("generation");
    Json spoiled = job({.limit = 10});
    GetParam().spoil(spoiled);
    EXPECT_EQ(evaluation.start_text(spoiled.dump())->wait(), 1);
    EXPECT_NE(evaluation.console().find(GetParam().says), std::string::npos) << evaluation.console();
    EXPECT_TRUE(evaluation.published().empty());
}

INSTANTIATE_TEST_SUITE_P(Table, BadGeneration, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

TEST(VisionLanguage, FailsTheSamplesThatTheModelCannotTakeAndNoOther) {
    Evaluation evaluation("generation");
    std::istringstream questions(read_text(example + "/questions.tsv"));
    std::string header;
    std::string first;
    std::getline(questions, header);
    std::getline(questions, first);
    const auto cell = first.find('\t', first.find('\t') + 1);
    const std::string image = first.substr(first.find('\t') + 1, cell - first.find('\t') - 1);
    std::ofstream(evaluation.folder() + "/few.tsv", std::ios::binary)
        << header << "\n"
        << first << "\n"
        << "a\t" << image << "\twhat is love?\tbaby\tcount\tx\n"
        << "b\t\twhat is this?\tbag\tcount\tx\n"
        << "c\t" << std::string(100, 'A') << "\twhat is this?\tbag\tcount\tx\n"
        << "d\t" << image << "\twhat is this" << std::string(20, '?') << "\tbag\tcount\tx\n"
        << "e" << first.substr(first.find('\t')) << "\n";
    Json few = job({});
    eval_of(few)["datasets"][0]["path"] = "few.tsv";
    few["spec"]["merge"]["maxFailedSamples"] = 4;
    ASSERT_EQ(evaluation.start_text(few.dump(1))->wait(), 0) << evaluation.console();
    const auto results = lines_of(evaluation.published()["results.jsonl"]);
    ASSERT_EQ(results.size(), 6U);
    EXPECT_EQ(results[0].at("prediction"), lines_of(of_two_by_two().at("results.jsonl"))[0].at("prediction"));
    EXPECT_EQ(results[5].at("prediction"), results[0].at("prediction"));
    const auto error = [&](std::size_t i) { return results[i].value("error", ""); };
    EXPECT_NE(error(1).find("which no token of the model has"), std::string::npos) << error(1);
    EXPECT_EQ(error(2), "it has no image, or several, or a URL; the model takes one");
    EXPECT_EQ(error(3), "the image is neither PNG nor JPEG");
    EXPECT_EQ(error(4), "its prompt has 23 tokens; the model takes 1 to 16");
}

}  // namespace
}  // namespace evaljob::e2e
