// Engine OpenAI with the real programs and a server that answers each question as the question says: what is an answer,
// what is tried again, what fails one sample and no more, and what is asked for a multiple-choice table.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "tests/e2e/evaluation.hpp"
#include "tests/places.hpp"

namespace evaljob::e2e {
namespace {

using testing::HasSubstr;

constexpr const char* cases = EVALJOB_SOURCE_DIR "/tests/e2e/openai_cases/";

class CaseServer {
public:
    explicit CaseServer(const std::string& folder)
        : port_file_(folder + "/port"),
          program_({"/usr/bin/python3", std::string(cases) + "server.py", port_file_, folder + "/asked"},
                   folder + "/server") {}

    std::string url() {
        eventually([&] { return std::filesystem::exists(port_file_) || !program_.running(); });
        return "http://127.0.0.1:" + read_text(port_file_) + "/v1";
    }

private:
    std::string port_file_;
    Program program_;
};

Json job(const std::string& url, const std::string& data, int allowed) {
    const Json dataset = {{"name", "cases"},
                          {"format", data.ends_with(".tsv") ? "TSV" : "JSONL"},
                          {"path", cases + data},
                          {"task", {{"type", "Generation"}, {"metrics", {"ExactMatch"}}}}};
    return {{"apiVersion", "evaljob.dev/v1alpha1"},
            {"kind", "EvalJob"},
            {"metadata", {{"name", "cases"}}},
            {"spec",
             {{"numNodes", 1},
              {"numProcPerNode", 2},
              {"eval",
               {{"model", {{"format", "OpenAI"}, {"url", url}, {"name", "m"}}},
                {"datasets", Json::array({dataset})},
                {"inference", {{"maxBatchSize", 4}}}}},
              {"merge", {{"maxFailedSamples", allowed}}},
              {"storage", {{"path", "output"}}}}}};
}

class OpenAiCases : public testing::Test {
protected:
    /// The published lines, by id.
    std::map<std::string, Json> run(
        const std::string& data, int allowed = 0, const std::function<void(Json&)>& change = [](Json&) {}) {
        CaseServer server(evaluation_.folder());
        Json object = job(server.url(), data, allowed);
        change(object["spec"]["eval"]);
        std::ofstream(evaluation_.file(), std::ios::binary) << object.dump(1);
        EXPECT_EQ(evaluation_.run(evaluation_.file())->wait(), 0) << evaluation_.console();
        std::map<std::string, Json> lines;
        for (Json& line : lines_of(evaluation_.published()["results.jsonl"]))
            lines[line["id"].get<std::string>()] = line;
        return lines;
    }

    Evaluation evaluation_{"openai-cases"};
};

TEST_F(OpenAiCases, AnErrorForAnAnswerIsTriedAgainAndAFilteredOneFails) {
    auto lines = run("finish-reasons.jsonl", 1);
    for (const char* again : {"error-empty", "error-half", "abort"}) {
        EXPECT_EQ(lines[again]["prediction"], "4") << lines[again];
        EXPECT_EQ(lines[again]["exact_match"], 1) << lines[again];
    }
    EXPECT_THAT(lines["filtered"]["error"].get<std::string>(), HasSubstr("content filter"));
    EXPECT_EQ(lines["cut"]["prediction"], "") << lines["cut"];
    EXPECT_EQ(lines["cut"]["fields"], Json({{"finishReason", "length"}, {"reasoning", "let me think"}}));
    EXPECT_EQ(lines["cut"]["exact_match"], 0);
}

TEST_F(OpenAiCases, AFilteredOneIsAnAnswerWhereItIsWanted) {
    auto lines = run("finish-reasons.jsonl", 0, [](Json& eval) { eval["model"]["contentFilter"] = "Answer"; });
    EXPECT_EQ(lines["filtered"]["prediction"], "") << lines["filtered"];
    EXPECT_EQ(lines["filtered"]["fields"], Json({{"finishReason", "content_filter"}}));
}

TEST_F(OpenAiCases, TwoRefusedSamplesFailAloneWithTheServersWords) {
    auto lines = run("one-refused.jsonl", 2);
    int right = 0;
    for (const auto& [id, line] : lines) right += line.value("exact_match", 0);
    EXPECT_EQ(right, 20);
    EXPECT_EQ(lines["refused"]["error"], "the server refuses it: it answered 403: this prompt was flagged");
    EXPECT_EQ(lines["no-endpoint"]["error"], "the server refuses it: it answered 404: no endpoint takes this input");
}

TEST_F(OpenAiCases, ContentInPartsAndNumbersThatAreNoneAreRead) {
    auto lines = run("content-forms.jsonl");
    EXPECT_EQ(lines["list"]["prediction"], "four");
    EXPECT_EQ(lines["nan"]["prediction"], "4");
}

TEST_F(OpenAiCases, OptionsOfATableAreAskedEachUnderItsLetter) {
    auto lines = run("options.tsv");  // the server says what it was asked
    const std::string request = "Please select the correct answer from the options above. \n";
    EXPECT_EQ(lines["1"]["prediction"],
              "Question: Which one is a fruit?\nOptions:\nA. apple\nB. stone\nC. iron\nD. glass\n" + request);
    EXPECT_EQ(lines["2"]["prediction"],
              "Hint: look at the parity\nQuestion: Which is even?\nOptions:\nA. 1\nB. 2\nC. 3\nD. 5\nE. 7\n" + request);
    EXPECT_EQ(lines["3"]["prediction"], "Question: Yes or no?\nOptions:\nA. yes\nB. no\n" + request);
}

TEST_F(OpenAiCases, APromptPutsOptionsAndHintsWhereItWants) {
    auto lines = run("options.tsv", 0, [](Json& eval) {
        eval["datasets"][0]["task"]["prompt"] = "{hint?}|{question}|{options}";
        eval["datasets"][0]["task"]["stop"] = {"B. "};
    });
    EXPECT_EQ(lines["1"]["prediction"], "|Which one is a fruit?|A. apple\n");
    EXPECT_EQ(lines["2"]["prediction"], "look at the parity|Which is even?|A. 1\n") << "cut at the stop text";
}

TEST_F(OpenAiCases, SamplesThatAllFailForOneReasonEndTheJobBeforeAllAreTried) {
    CaseServer server(evaluation_.folder());
    Json object = job(server.url(), "all-fail.jsonl", 1'000);
    object["spec"]["eval"]["datasets"][0]["path"] = "all-fail.jsonl";
    std::ofstream lines(evaluation_.folder() + "/all-fail.jsonl", std::ios::binary);
    for (int i = 0; i < 1'000; ++i)
        lines << Json({{"question", "q"}, {"image_path", std::to_string(i) + ".png"}, {"target", "a"}}).dump() << "\n";
    lines.close();
    std::ofstream(evaluation_.file(), std::ios::binary) << object.dump(1);
    EXPECT_EQ(evaluation_.run(evaluation_.file())->wait(), 1);
    EXPECT_THAT(evaluation_.console(), HasSubstr("samples failed alike, the cheapest ones too"));
    EXPECT_THAT(evaluation_.console(), HasSubstr("which another try cannot mend"));
    EXPECT_FALSE(std::filesystem::exists(evaluation_.output() + "/done.json"));
    EXPECT_LT(evaluation_.records(), 1'000U);
}

}  // namespace
}  // namespace evaljob::e2e
