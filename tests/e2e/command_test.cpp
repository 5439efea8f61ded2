// A text dataset, Generation, and engine Command, with the real programs: the same bytes from any number of ranks, and
// whoever is killed.
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "api/base64.hpp"
#include "tests/e2e/evaluation.hpp"
#include "tests/places.hpp"

namespace evaljob::e2e {
namespace {

constexpr int questions = 300;

struct Ranks {
    int nodes = 1;
    int procs = 1;
};

Json job(const Ranks& ranks) {
    const Json dataset = {
        {"name", "questions"},
        {"format", "JSONL"},
        {"path", "questions.jsonl"},
        {"task", {{"type", "Generation"}, {"metrics", {"ExactMatch", "NormalizedExactMatch"}}, {"groupBy", "kind"}}}};
    return {{"apiVersion", "evaljob.dev/v1alpha1"},
            {"kind", "EvalJob"},
            {"metadata", {{"name", "qa"}}},
            {"spec",
             {{"numNodes", ranks.nodes},
              {"numProcPerNode", ranks.procs},
              {"eval",
               {{"model", {{"format", "Command"}, {"command", {"python3", "answer.py"}}}},
                {"datasets", Json::array({dataset})},
                {"repeats", 2},
                {"inference", {{"device", "CPU"}, {"maxBatchSize", 8}}}}},
              {"merge", {{"maxFailedSamples", 2 * questions}}},
              {"storage", {{"path", "output"}}}}}};
}

/// The files that the job names, beside it.
void write_files(const Evaluation& evaluation) {
    std::ofstream lines(evaluation.folder() + "/questions.jsonl", std::ios::binary);
    for (int i = 0; i < questions; ++i)
        lines << Json({{"kind", i % 3 == 0 ? "third" : "other"}, {"target", "answer " + std::to_string(i + 1)}}).dump()
              << "\n";
    std::ofstream(evaluation.folder() + "/answer.py", std::ios::binary)
        << read_text(EVALJOB_SOURCE_DIR "/tests/e2e/answer.py");
}

std::unique_ptr<Program> start(Evaluation& evaluation, const Ranks& ranks) {
    write_files(evaluation);
    return evaluation.start_text(job(ranks).dump(1));
}

const std::map<std::string, std::string>& undisturbed_texts() {
    static const std::map<std::string, std::string> known = [] {
        Evaluation evaluation("command");
        EXPECT_EQ(start(evaluation, {1, 1})->wait(), 0) << evaluation.console();
        return evaluation.published();
    }();
    return known;
}

TEST(CommandRun, GivesEveryTextAsItWasWrittenAndItsScores) {
    std::istringstream lines(undisturbed_texts().at("results.jsonl"));
    int items = 0;
    for (std::string text; std::getline(lines, text); ++items) {
        const Json line = Json::parse(text);
        const int number = std::stoi(line["id"].get<std::string>());
        ASSERT_EQ(number, items / 2 + 1);
        ASSERT_EQ(line["repeat"], items % 2);
        const Json& prediction = line["prediction"];
        if (number % 11 == 3) {
            ASSERT_EQ(base64_decode(prediction["base64"].get<std::string>()), "caf\xe9") << text;
        } else if (number % 11 == 5) {
            ASSERT_EQ(base64_decode(prediction["base64"].get<std::string>()), std::string("\xed\xa0\xbd \0", 5))
                << text;
        } else if (number % 11 == 7) {
            ASSERT_EQ(line["error"], "too long");
        } else if (number % 5 == 3) {
            ASSERT_EQ(prediction.get<std::string>(), std::string("é\0😀", 7));
        } else if (number % 5 < 2) {
            ASSERT_EQ(line["exact_match"], number % 5 == 0 ? 1 : 0) << text;
            ASSERT_EQ(line["normalized_exact_match"], 1) << text;
        }
    }
    EXPECT_EQ(items, 2 * questions);
}

TEST(CommandRun, GivesTheSameBytesFromFourRanks) {
    Evaluation evaluation("command");
    ASSERT_EQ(start(evaluation, {2, 2})->wait(), 0) << evaluation.console();
    EXPECT_EQ(evaluation.published(), undisturbed_texts());
    EXPECT_TRUE(eventually([&] { return with_variable(Evaluation::marker, evaluation.marker_value()).empty(); }));
}

bool is_victim(const ProcessView& process) {
    if (process.is("evaljob-rank")) return true;  // its keeper too: a copy of it
    return process.argv.size() == 2 && process.argv[1] == "answer.py";
}

TEST(CommandRun, GivesTheSameBytesWhenProgramsAndRanksAreKilled) {
    undisturbed_texts();
    std::mt19937 random(1);
    Evaluation evaluation("command");
    auto program = start(evaluation, {2, 2});
    const int kills = kill_some(evaluation, *program, {}, random, is_victim);
    ASSERT_EQ(program->wait(), 0) << evaluation.console();
    EXPECT_GE(kills, 5);
    EXPECT_EQ(evaluation.published(), undisturbed_texts());
    EXPECT_TRUE(eventually([&] { return with_variable(Evaluation::marker, evaluation.marker_value()).empty(); }));
}

}  // namespace
}  // namespace evaljob::e2e
