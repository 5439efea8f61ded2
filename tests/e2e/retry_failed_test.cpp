// Failed samples are tried again by the next run, once their cause is mended: the same command, after a run with more
// failures than are allowed; with --retry-failed after one within bounds, too.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/e2e/evaluation.hpp"

namespace evaljob::e2e {
namespace {

constexpr int questions = 40;

/// Fails every fifth question until the file `mended` is there.
constexpr const char* program = R"(import json, os, sys
print('{"ready": true}', flush=True)
for line in sys.stdin:
    request = json.loads(line)
    number = int(request["id"])
    answer = {"request": request["request"], "prediction": f"answer {number}"}
    if number % 5 == 0 and not os.path.exists("mended"):
        answer = {"request": request["request"], "error": "the judge is away"}
    print(json.dumps(answer), flush=True)
)";

class RetryFailed : public testing::Test {
protected:
    RetryFailed() {
        std::ofstream lines(evaluation_.folder() + "/questions.jsonl", std::ios::binary);
        for (int i = 1; i <= questions; ++i)
            lines << Json({{"id", i}, {"target", "answer " + std::to_string(i)}}).dump() << "\n";
        std::ofstream(evaluation_.folder() + "/answer.py", std::ios::binary) << program;
    }

    int run(int max_failed, const std::vector<std::string>& arguments = {}) {
        const Json dataset = {{"name", "questions"},
                              {"format", "JSONL"},
                              {"path", "questions.jsonl"},
                              {"task", {{"type", "Generation"}, {"metrics", {"ExactMatch"}}}}};
        const Json job = {{"apiVersion", "evaljob.dev/v1alpha1"},
                          {"kind", "EvalJob"},
                          {"metadata", {{"name", "qa"}}},
                          {"spec",
                           {{"numNodes", 2},
                            {"eval",
                             {{"model", {{"format", "Command"}, {"command", {"python3", "answer.py"}}}},
                              {"datasets", Json::array({dataset})},
                              {"inference", {{"device", "CPU"}, {"maxBatchSize", 4}}}}},
                            {"merge", {{"maxFailedSamples", max_failed}}},
                            {"storage", {{"path", "output"}}}}}};
        std::ofstream(evaluation_.file(), std::ios::binary) << job.dump(1);
        return evaluation_.run(evaluation_.file(), arguments)->wait();
    }

    void mend() const { std::ofstream(evaluation_.folder() + "/mended") << ""; }

    /// Of the published result.
    int failed() const {
        int count = 0;
        for (const Json& line : lines_of(evaluation_.published()["results.jsonl"]))
            count += line.contains("error") && !line["error"].is_null() ? 1 : 0;
        return count;
    }

    Evaluation evaluation_{"retry-failed"};
};

TEST_F(RetryFailed, TheSameCommandTriesAgainWhatWasTooMuch) {
    EXPECT_EQ(run(2), 1);
    EXPECT_NE(evaluation_.console().find("8 of 40 samples failed, merge.maxFailedSamples is 2"), std::string::npos)
        << evaluation_.console();
    EXPECT_NE(evaluation_.console().find("run the same command again"), std::string::npos);
    EXPECT_TRUE(evaluation_.result_folder().empty());
    const std::uint64_t records = evaluation_.records();
    mend();
    EXPECT_EQ(run(2), 0) << evaluation_.console();
    EXPECT_EQ(lines_of(evaluation_.published()["results.jsonl"]).size(), static_cast<std::size_t>(questions));
    EXPECT_EQ(failed(), 0);
    EXPECT_NE(evaluation_.published()["metrics.json"].find("1.000000"), std::string::npos);
    EXPECT_LT(evaluation_.records(), records + questions) << "only batches with failures are evaluated again";
}

TEST_F(RetryFailed, WithinBoundsTheyStandUntilItIsAskedFor) {
    EXPECT_EQ(run(8), 0) << evaluation_.console();
    EXPECT_EQ(failed(), 8);
    mend();
    EXPECT_EQ(run(8), 0) << evaluation_.console();
    EXPECT_EQ(failed(), 8);
    EXPECT_EQ(run(8, {"--retry-failed"}), 0) << evaluation_.console();
    EXPECT_EQ(failed(), 0);
}

}  // namespace
}  // namespace evaljob::e2e
