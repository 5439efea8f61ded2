// What is said of answers that look like answers and may be none, and of samples that failed.
#include "evaljob-runner/merge/answers.hpp"

#include <gmock/gmock.h>

#include "api/exit_code.hpp"
#include "evaljob-runner/merge/failure_reasons.hpp"
#include "evaljob-runner/merge/merge.hpp"
#include "run_folder.hpp"

namespace evaljob {
namespace {

using test::RunFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

Record answered(int sample, const Json& prediction, const Json& detail = Json::object()) {
    return {0, "q" + std::to_string(sample), 0, {1, 0}, prediction, detail, ""};
}

Record lost(int sample, const std::string& error, const Json& detail = Json::object()) {
    return {0, "q" + std::to_string(sample), 0, {1, 0}, nullptr, detail, error};
}

/// Questions of which each is to be answered with "a".
struct TextRun : RunFolder {
    explicit TextRun(const std::vector<Record>& records) {
        manifest = Manifest();
        const Json task = {{"type", "Generation"}, {"metrics", {"ExactMatch"}}};
        manifest.config["datasets"] = Json::array({{{"name", "qa"}, {"task", task}, {"samples", records.size()}}});
        for (const Record& record : records) manifest.samples.push_back({0, record.id, std::string(32, 'b'), "a", ""});
        manifest.batches = plan_batches(manifest.samples, 1, 4);
        add_shard(0, records, 0);
        finish();
    }

    MergeOutcome merge(std::int64_t max_failed) const {
        auto with = options();
        with.max_failed_samples = max_failed;
        return run_merge(with);
    }
};

std::vector<Record> all_ends() {
    return {answered(0, "a", {{"finishReason", "stop"}, {"promptTokens", 3}, {"completionTokens", 1}}),
            answered(1, "", {{"finishReason", "length"}, {"reasoning", "hm"}}),
            answered(2, "b", {{"finishReason", "length"}}),
            answered(3, "", {{"finishReason", "content_filter"}}),  // where a setting counts it as an answer
            answered(4, ""),
            lost(5, "filtered", {{"failure", "Filtered"}, {"finishReason", "content_filter"}}),
            lost(6, "answered 403", {{"failure", "Refused"}}),
            lost(7, "no answer"),
            answered(8, " ", {{"finishReason", "abort"}})};
}

TEST(Answers, ThatEndedOtherwiseAreCounted) {
    TextRun run(all_ends());
    const MergeOutcome outcome = run.merge(3);
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    EXPECT_EQ(outcome.report.answers, (AnswerCounts{.empty = 3, .truncated = 2, .filtered = 2, .refused = 1}));
    const Json metrics = Json::parse(run.read(outcome.report.path + "/metrics.json"));
    EXPECT_EQ(metrics.at("answers"), Json::parse(R"([{"dataset":"qa","empty":3,"truncated":2,"filtered":2,"refused":1,
        "finishReasons":{"abort":1,"content_filter":2,"length":2,"stop":1}}])"));
    const std::string page = run.read(outcome.report.path + "/report.html");
    EXPECT_THAT(page,
                AllOf(HasSubstr("How the answers ended"), HasSubstr("abort 1, content_filter 2, length 2, stop 1")));
}

TEST(Answers, KeepReasoningReasonAndTokensAsFields) {
    TextRun run(all_ends());
    const std::string results = run.read(run.merge(3).report.path + "/results.jsonl");
    EXPECT_THAT(results, HasSubstr(R"("fields":{"completionTokens":1,"finishReason":"stop","promptTokens":3})"));
    EXPECT_THAT(results, HasSubstr(R"("fields":{"finishReason":"length","reasoning":"hm"})"));
    EXPECT_THAT(results, HasSubstr(R"("fields":{"failure":"Refused"},"error":"answered 403")"));
}

TEST(Answers, OfClassesAreNoTexts) {
    RunFolder run;
    run.add_whole_run();
    run.finish();
    const MergeOutcome outcome = run_merge(run.options());
    EXPECT_EQ(outcome.report.answers, AnswerCounts());
    EXPECT_FALSE(Json::parse(run.read(outcome.report.path + "/metrics.json")).contains("answers"));
    EXPECT_THAT(run.read(outcome.report.path + "/report.html"), Not(HasSubstr("How the answers ended")));
}

TEST(Answers, OfAServerThatInventsReasonsStayFew) {
    std::vector<Record> records;
    for (int i = 0; i < 100; ++i) records.push_back(answered(i, "a", {{"finishReason", "r" + std::to_string(i)}}));
    records.push_back(answered(100, "a", {{"finishReason", std::string(65, 'x')}}));
    records.push_back(answered(101, "a", {{"finishReason", 7}}));  // no text
    TextRun run(records);
    const MergeOutcome outcome = run.merge(0);
    const Json metrics = Json::parse(run.read(outcome.report.path + "/metrics.json"));
    const Json& reasons = metrics.at("answers").at(0).at("finishReasons");
    EXPECT_EQ(reasons.size(), max_finish_reasons + 1);
    EXPECT_EQ(reasons.at(other_reason), 101 - static_cast<int>(max_finish_reasons));
}

TEST(Answers, ThatAreListsOfRightOnesAreSaidInTheReport) {
    TextRun run({answered(0, "a")});
    EXPECT_THAT(run.read(run.merge(0).report.path + "/report.html"), Not(HasSubstr("list of quoted texts")));
    run.manifest.config["datasets"][0]["targetLists"] = 1;
    run.shards.clear();
    run.add_shard(0, {answered(0, "a")}, 1);
    run.finish();
    EXPECT_THAT(run.read(run.merge(0).report.path + "/report.html"),
                HasSubstr("qa: the answer of 1 sample is a list of quoted texts"));
}

TEST(FailedSamples, AreExplainedByTheirMostFrequentReasons) {
    std::vector<Record> records;
    for (int i = 0; i < 25; ++i)
        records.push_back(
            lost(i, "request 7" + std::to_string(i) + " of q" + std::to_string(i) + ": answered 400: no"));
    for (int i = 25; i < 28; ++i) records.push_back(lost(i, "answered 404: no such model"));
    records.push_back(lost(28, "one of a kind"));
    records.push_back(lost(29, "another kind"));
    TextRun run(records);
    const MergeOutcome outcome = run.merge(2);
    EXPECT_EQ(outcome.exit_code, exit_code::proof);
    const std::string& why = outcome.report.error;
    EXPECT_THAT(why,
                HasSubstr("30 of 30 samples failed, merge.maxFailedSamples is 2. 25 times: request 70 of q0: answered "
                          "400: no; 3 times: answered 404: no such model; once: one of a kind; 1 for other reasons. "
                          "Mend the cause and run the same command again"));
    EXPECT_THAT(why, HasSubstr("or raise merge.maxFailedSamples"));
    EXPECT_THAT(why, testing::EndsWith("They are: q0, q1, q2, q3, q4, …"));
    EXPECT_EQ(outcome.report.ids.size(), 20U);
}

struct AlikeRow {
    const char* name;
    const char* error;
    const char* id;
    const char* kind;
};
void PrintTo(const AlikeRow& row, std::ostream* out) { *out << row.name; }

class Alike : public testing::TestWithParam<AlikeRow> {};

TEST_P(Alike, IsWhatDoesNotDifferFromSampleToSample) {
    EXPECT_EQ(alike(GetParam().error, GetParam().id), GetParam().kind);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, Alike,
    testing::Values(AlikeRow{"Nothing", "", "", ""}, AlikeRow{"NoNumber", "out of memory", "q1", "out of memory"},
                    AlikeRow{"TheId", "sample img-a: too long", "img-a", "sample #: too long"},
                    AlikeRow{"TheIdWithinAWord", "alas, a cat", "a", "alas, # cat"},
                    AlikeRow{"Numbers", "has 4097 tokens, at most 4096", "x", "has # tokens, at most #"},
                    AlikeRow{"AStatusTellsReasonsApart", "answered 503", "x", "answered 503"},
                    AlikeRow{"AShortName", "no utf8 in fp16", "x", "no utf8 in fp16"},
                    AlikeRow{"AKey", "request req7fe3a9b1 failed", "x", "request # failed"},
                    AlikeRow{"AUuid", "0b1ff7a4-8d1c-4c1e-9a3e-5d6f7a8b9c0d", "x", "#-8d1c-4c1e-9a3e-#"},
                    AlikeRow{"AFile", "image_path img_0012.png: No such file", "x",
                             "image_path img_#.png: No such file"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob
