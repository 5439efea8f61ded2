// Engine OpenAI with the real programs and a server that refuses, drops and garbles much of what it is asked first: the
// same bytes from any number of ranks, and whoever is killed.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

#include "api/base64.hpp"
#include "tests/e2e/evaluation.hpp"
#include "tests/places.hpp"

namespace evaljob::e2e {
namespace {

constexpr int questions = 300;

class ChatServer {
public:
    explicit ChatServer(const std::string& folder, const std::string& manner = "--impolite")
        : port_file_(folder + "/port"),
          program_({"/usr/bin/python3", EVALJOB_SOURCE_DIR "/tests/e2e/chat_server.py", port_file_, manner},
                   folder + "/server") {}

    std::string url() {
        eventually([&] { return std::filesystem::exists(port_file_) || !program_.running(); });
        return "http://127.0.0.1:" + read_text(port_file_) + "/v1";
    }

private:
    std::string port_file_;
    Program program_;
};

Json job(int nodes, int procs, const std::string& url) {
    const Json dataset = {{"name", "questions"},
                          {"format", "JSONL"},
                          {"path", "questions.jsonl"},
                          {"task",
                           {{"type", "Generation"},
                            {"metrics", {"ExactMatch", "NormalizedExactMatch"}},
                            {"groupBy", "kind"},
                            {"maxNewTokens", 16},
                            {"prompt", "Question {number} is {text}?"}}}};
    return {{"apiVersion", "evaljob.dev/v1alpha1"},
            {"kind", "EvalJob"},
            {"metadata", {{"name", "qa"}}},
            {"spec",
             {{"numNodes", nodes},
              {"numProcPerNode", procs},
              {"eval",
               {{"model",
                 {{"format", "OpenAI"},
                  {"url", url},
                  {"name", "tiny"},
                  {"systemPrompt", "Answer."},
                  {"apiKeyVariable", "CHAT_KEY"}}},
                {"datasets", Json::array({dataset})},
                {"repeats", 2},
                {"inference", {{"maxBatchSize", 8}, {"maxConcurrency", 8}}}}},
              {"merge", {{"maxFailedSamples", 2 * questions}}},
              {"storage", {{"path", "output"}}}}}};
}

/// The files of the job.
void write(const Evaluation& evaluation, const Json& job) {
    std::ofstream lines(evaluation.folder() + "/questions.jsonl", std::ios::binary);
    for (int i = 1; i <= questions; ++i)
        lines << Json({{"kind", i % 3 == 0 ? "third" : "other"},
                       {"number", i},
                       {"text", i % 11 == 7 ? "too long" : "why"},
                       {"target", "answer " + std::to_string(i)}})
                     .dump()
              << "\n";
    std::ofstream(evaluation.file(), std::ios::binary) << job.dump(1);
}

std::unique_ptr<Program> start(Evaluation& evaluation, int nodes, int procs, const std::string& url) {
    write(evaluation, job(nodes, procs, url));
    return evaluation.run(evaluation.file(), {}, {{"CHAT_KEY", "sk-test"}});
}

/// From one rank and a server without moods.
const std::map<std::string, std::string>& undisturbed_answers() {
    static const std::map<std::string, std::string> known = [] {
        Evaluation evaluation("openai");
        ChatServer server(evaluation.folder(), "--polite");
        EXPECT_EQ(start(evaluation, 1, 1, server.url())->wait(), 0) << evaluation.console();
        return evaluation.published();
    }();
    return known;
}

TEST(OpenAiRun, GivesEveryTextAsItWasWrittenAndItsScores) {
    std::istringstream lines(undisturbed_answers().at("results.jsonl"));
    int items = 0;
    for (std::string text; std::getline(lines, text); ++items) {
        const Json line = Json::parse(text);
        const int number = std::stoi(line["id"].get<std::string>());
        ASSERT_EQ(number, items / 2 + 1);
        const Json& prediction = line["prediction"];
        if (number % 11 == 7) {
            ASSERT_EQ(line["error"], "the server refuses it: it answered 400: too long");
        } else if (number % 11 == 3) {
            ASSERT_EQ(base64_decode(prediction["base64"].get<std::string>()), "caf\xe9") << text;
        } else if (number % 11 == 5) {
            ASSERT_EQ(base64_decode(prediction["base64"].get<std::string>()), std::string("\xed\xa0\xbd \0", 5));
        } else if (number % 5 == 3) {
            ASSERT_EQ(prediction.get<std::string>(), std::string("é\0😀", 7));
        } else if (number % 5 < 2) {
            ASSERT_EQ(line["exact_match"], number % 5 == 0 ? 1 : 0) << text;
            ASSERT_EQ(line["normalized_exact_match"], 1) << text;
        }
    }
    EXPECT_EQ(items, 2 * questions);
}

TEST(OpenAiRun, GivesTheSameBytesFromFourRanksOfAServerWithMoods) {
    Evaluation evaluation("openai");
    ChatServer server(evaluation.folder());
    ASSERT_EQ(start(evaluation, 2, 2, server.url())->wait(), 0) << evaluation.console();
    EXPECT_EQ(evaluation.published(), undisturbed_answers());
}

TEST(OpenAiRun, GivesTheSameBytesWhenRanksAreKilled) {
    undisturbed_answers();
    std::mt19937 random(1);
    Evaluation evaluation("openai");
    ChatServer server(evaluation.folder());
    auto program = start(evaluation, 2, 2, server.url());
    const int kills =
        kill_some(evaluation, *program, {}, random, [](const ProcessView& p) { return p.is("evaljob-rank"); });
    ASSERT_EQ(program->wait(), 0) << evaluation.console();
    EXPECT_GE(kills, 5);
    EXPECT_EQ(evaluation.published(), undisturbed_answers());
}

/// The rows of a TSV file, and what the server answers: the sizes of the pictures that it has got.
struct Shown {
    const char* index;
    std::string image;
    std::string image_path;
    std::string answer;
};

TEST(OpenAiRun, ShowsTheServerThePicturesOfATsvDataset) {
    const Shown rows[] = {
        {"one", picture(), "", "56x56"},
        {"again", "one", "", "56x56"},
        {"two", "['" + picture() + "', '" + picture() + "']", "", "56x56 56x56"},
        {"file", "", "pictures/a.png", "56x56"},
        {"files", "", "['pictures/a.png', 'pictures/a.png']", "56x56 56x56"},
        {"both", picture(), "not there.png", "56x56"},
        {"none", "", "", "it has no image, where the dataset has images"},
    };
    Evaluation evaluation("openai");
    const std::string sets = evaluation.folder() + "/sets";
    std::filesystem::create_directories(sets + "/pictures");
    std::ofstream(sets + "/pictures/a.png", std::ios::binary) << base64_decode(picture()).value();
    std::ofstream table(sets + "/questions.tsv", std::ios::binary);
    table << "index\timage\timage_path\tnumber\ttext\tkind\tanswer\n";
    for (const Shown& row : rows)
        table << row.index << "\t" << row.image << "\t" << row.image_path << "\t1\twhy\tkind\t" << row.answer << "\n";
    table.close();
    ChatServer server(evaluation.folder());
    Json object = job(1, 2, server.url());
    object["spec"]["eval"]["datasets"][0]["format"] = "TSV";
    object["spec"]["eval"]["datasets"][0]["path"] = "sets/questions.tsv";
    std::ofstream(evaluation.file(), std::ios::binary) << object.dump(1);
    ASSERT_EQ(evaluation.run(evaluation.file(), {}, {{"CHAT_KEY", "sk-test"}})->wait(), 0) << evaluation.console();
    std::istringstream lines(evaluation.published().at("results.jsonl"));
    std::size_t items = 0;
    for (std::string text; std::getline(lines, text); ++items) {
        const Json line = Json::parse(text);
        ASSERT_LT(items / 2, std::size(rows));
        EXPECT_EQ(line["id"], rows[items / 2].index);
        const bool is_shown = rows[items / 2].index != std::string("none");
        EXPECT_EQ(line[is_shown ? "prediction" : "error"], rows[items / 2].answer) << text;
        EXPECT_EQ(line["exact_match"], is_shown ? 1 : 0) << text;
    }
    EXPECT_EQ(items, 2 * std::size(rows));
}

struct Wrong {
    const char* name;
    void (*change)(Json& model);
    const char* key;
    const char* says;
};

class WrongServer : public testing::TestWithParam<Wrong> {};

TEST_P(WrongServer, EndsTheJobAtOnceAndSaysWhy) {
    Evaluation evaluation("openai");
    ChatServer server(evaluation.folder());
    Json object = job(1, 2, server.url());
    GetParam().change(object["spec"]["eval"]["model"]);
    write(evaluation, object);
    auto program = evaluation.run(evaluation.file(), {},
                                  {{"CHAT_KEY", GetParam().key}, {"http_proxy", "socks5://me:hush@127.0.0.1:1"}});
    EXPECT_EQ(program->wait(), 1);
    const std::string console = evaluation.console();
    EXPECT_NE(console.find(GetParam().says), std::string::npos) << console;
    EXPECT_NE(console.find("exited 12 (Error), which another try cannot mend"), std::string::npos) << console;
    EXPECT_EQ(console.find("sk-other"), std::string::npos) << "a key is nobody's business";
    EXPECT_EQ(console.find("hush"), std::string::npos) << "nor is a password";
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongServer,
    testing::Values(
        Wrong{"Model", [](Json& model) { model["name"] = "big"; }, "sk-test", "has no model big; it has: tiny"},
        Wrong{"Key", [](Json&) {}, "sk-other", "is the key in the variable CHAT_KEY the right one?"},
        Wrong{"NoKey", [](Json& model) { model.erase("apiKeyVariable"); }, "sk-test", "does it want a key?"},
        Wrong{"EmptyKey", [](Json&) {}, "", "spec.eval.model.apiKeyVariable: CHAT_KEY is not set, or empty"},
        Wrong{"Header",
              [](Json& model) {
                  model["headers"] = {{{"name", "api-key"}, {"variable", "NOT_SET"}}};
              },
              "sk-test", "spec.eval.model.headers: api-key: NOT_SET is not set, or empty"},
        Wrong{"Proxy", [](Json& model) { model["proxy"] = "Environment"; }, "sk-test",
              "spec.eval.model.proxy: the variable http_proxy names a proxy that is not spoken to with http://"},
        Wrong{"Path", [](Json& model) { model["url"] = model["url"].get<std::string>() + "/x"; }, "sk-test",
              "does the url end as the server wants it"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::e2e
