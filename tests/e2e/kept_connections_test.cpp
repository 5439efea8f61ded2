// Engine OpenAI with the real programs and a server that sends Early Hints before some answers, others twice, and bytes
// behind others: every sample has its own answer.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "tests/e2e/evaluation.hpp"
#include "tests/places.hpp"

namespace evaljob::e2e {
namespace {

constexpr const char* cases = EVALJOB_SOURCE_DIR "/tests/e2e/openai_cases/";

TEST(KeptConnections, GiveNoSampleTheAnswerToAnother) {
    Evaluation evaluation("kept-connections");
    const std::string port_file = evaluation.folder() + "/port";
    Program server({"/usr/bin/python3", std::string(cases) + "server.py", port_file, evaluation.folder() + "/asked"},
                   evaluation.folder() + "/server");
    eventually([&] { return std::filesystem::exists(port_file) || !server.running(); });
    const Json dataset = {{"name", "kept"},
                          {"format", "JSONL"},
                          {"path", std::string(cases) + "kept-connections.jsonl"},
                          {"task", {{"type", "Generation"}, {"metrics", {"ExactMatch"}}}}};
    const Json model = {
        {"format", "OpenAI"}, {"url", "http://127.0.0.1:" + read_text(port_file) + "/v1"}, {"name", "m"}};
    const Json job = {{"apiVersion", "evaljob.dev/v1alpha1"},
                      {"kind", "EvalJob"},
                      {"metadata", {{"name", "kept"}}},
                      {"spec",
                       {{"numNodes", 1},
                        {"numProcPerNode", 2},
                        {"eval", {{"model", model}, {"datasets", Json::array({dataset})}}},
                        {"storage", {{"path", "output"}}}}}};
    std::ofstream(evaluation.file(), std::ios::binary) << job.dump(1);
    ASSERT_EQ(evaluation.run(evaluation.file())->wait(), 0) << evaluation.console();
    int samples = 0;
    for (const Json& line : lines_of(evaluation.published()["results.jsonl"])) {
        EXPECT_EQ(line["exact_match"], 1) << line;
        ++samples;
    }
    EXPECT_EQ(samples, 200);
}

}  // namespace
}  // namespace evaljob::e2e
