#include "evaljob-runner/merge/merge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>

#include "api/evaljob.hpp"
#include "api/exit_code.hpp"
#include "evaljob-runner/merge/merge_main.hpp"
#include "run_folder.hpp"

namespace evaljob {
namespace {

using test::answer;
using test::batch;
using test::failed;
using test::RunFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

const std::vector<std::string> covered = {"results.jsonl", "metrics.json", "results.csv", "confusion.csv"};

std::string covered_bytes(const RunFolder& run, const MergeReport& report) {
    std::string bytes;
    for (const std::string& name : covered) bytes += name + "\n" + run.read(report.path + "/" + name);
    return bytes;
}

MergeOutcome whole_run(RunFolder& run) {
    run.add_whole_run();
    run.finish();
    return run_merge(run.options());
}

TEST(Merge, PublishesAWholeRun) {
    RunFolder run;
    MergeOutcome outcome = whole_run(run);
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    const MergeReport& report = outcome.report;
    EXPECT_TRUE(report.published);
    EXPECT_FALSE(report.partial);
    EXPECT_EQ(report.samples, 12);
    EXPECT_EQ(report.missing.value() + report.repeated + report.conflicting + report.failed + report.foreign, 0);
    EXPECT_EQ(report.identity, identity_of(run.manifest));
    EXPECT_THAT(report.metrics, ElementsAre(Metric{"wardrobe", "accuracy", "", "0.833333", "0.107583", 12}));
    EXPECT_EQ(run.read("CURRENT"), "sha256-" + report.digest + "\n");
    for (const std::string& name : covered) EXPECT_NE(run.read(report.path + "/" + name), "") << name;
    Json metrics = Json::parse(run.read(report.path + "/metrics.json"));
    EXPECT_EQ(metrics.at("samples"), 12);
    EXPECT_EQ(metrics.at("repeated"), 0);
    EXPECT_EQ(metrics.at("metrics").size(), 4u);
    EXPECT_EQ(metrics.at("metrics")[0].at("value"), "0.833333");
}

TEST(Merge, AgainProvesAgainAndSaysTheSame) {
    RunFolder run;
    MergeOutcome first = whole_run(run);
    MergeOutcome second = run_merge(run.options());
    EXPECT_EQ(second.exit_code, exit_code::success);
    EXPECT_EQ(encode_merge_report(second.report), encode_merge_report(first.report));
}

TEST(Merge, AgainFindsDamageThatCameSince) {
    RunFolder run;
    MergeOutcome first = whole_run(run);
    run.write(first.report.path + "/results.csv", "not what was published");
    MergeOutcome second = run_merge(run.options());
    EXPECT_EQ(encode_merge_report(second.report), encode_merge_report(first.report));
    EXPECT_THAT(run.read(first.report.path + "/results.csv"), HasSubstr("0,wardrobe,0,0,Shirt"));
}

/// Histories that end in the same answers must end in the same bytes.
struct History {
    const char* name;
    std::function<void(RunFolder&)> happens;
    std::int64_t repeated;
};
void PrintTo(const History& h, std::ostream* out) { *out << h.name; }

const History histories[] = {
    {"OneRank",
     [](RunFolder& run) {
         std::vector<Record> all;
         for (int i = 11; i >= 0; --i) all.push_back(answer(i, {1, 0}));
         run.add_shard(0, all, 0);
     },
     0},
    {"BatchUnderTwoLeases",
     [](RunFolder& run) {
         run.add_whole_run();
         run.add_shard(2, batch(1, {2, 7}), 7);
     },
     4},
    {"LogWithoutFooter",
     [](RunFolder& run) {
         run.add_shard(0, batch(0, {1, 0}), 0, false);
         run.add_shard(1, batch(1, {1, 1}), 1);
         run.add_shard(0, batch(2, {1, 2}), 2, false);
     },
     0},
    {"FailedFirst",
     [](RunFolder& run) {
         run.add_whole_run();
         run.add_shard(3, {failed(5, {0, 1})}, 9);
     },
     1},
};

class MergeAfter : public testing::TestWithParam<History> {};

TEST_P(MergeAfter, GivesTheBytesOfAnUndisturbedRun) {
    RunFolder undisturbed;
    MergeOutcome expected = whole_run(undisturbed);
    RunFolder run;
    GetParam().happens(run);
    run.finish();
    MergeOutcome outcome = run_merge(run.options());
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    EXPECT_EQ(outcome.report.digest, expected.report.digest);
    EXPECT_EQ(covered_bytes(run, outcome.report), covered_bytes(undisturbed, expected.report));
    EXPECT_EQ(outcome.report.repeated, GetParam().repeated);
    EXPECT_EQ(Json::parse(run.read(outcome.report.path + "/proof.json")).at("repeated").at("count"),
              GetParam().repeated);
}

INSTANTIATE_TEST_SUITE_P(Histories, MergeAfter, testing::ValuesIn(histories),
                         [](const auto& row) { return row.param.name; });

TEST(Merge, WhatAZombieWritesBehindTheListedLengthChangesNothing) {
    RunFolder run;
    run.add_shard(0, batch(0, {1, 0}), 0, false);
    run.add_shard(1, batch(1, {1, 1}), 1);
    run.add_shard(2, batch(2, {1, 2}), 2);
    run.finish();
    MergeOutcome before = run_merge(run.options());
    ASSERT_EQ(before.exit_code, exit_code::success) << before.report.error;
    std::ofstream(run.shared + "/" + run.shards[0], std::ios::app | std::ios::binary) << "half a frame";
    MergeOutcome after = run_merge(run.options());
    EXPECT_EQ(encode_merge_report(after.report), encode_merge_report(before.report));
}

TEST(Merge, AnOlderResultStaysWhenALaterProofFails) {
    RunFolder run;
    MergeOutcome first = whole_run(run);
    fs::remove(run.shared + "/" + run.shards[0]);
    EXPECT_EQ(run_merge(run.options()).exit_code, exit_code::proof);
    EXPECT_EQ(run.read("CURRENT"), "sha256-" + first.report.digest + "\n");
}

TEST(Merge, ConflictingRecordsAreReportedAndTheLowestLeaseCounts) {
    RunFolder run;
    run.add_whole_run();
    Record other = answer(3, {2, 5});
    other.prediction = 2;
    run.add_shard(2, {other}, 5);
    run.finish();
    MergeOutcome outcome = run_merge(run.options());
    ASSERT_EQ(outcome.exit_code, exit_code::success);
    EXPECT_EQ(outcome.report.conflicting, 1);
    EXPECT_THAT(outcome.report.ids, ElementsAre("3"));
    EXPECT_THAT(run.read(outcome.report.path + "/results.jsonl"),
                HasSubstr(R"("id":"3","dataset":"wardrobe","prediction":0)"));
}

TEST(Merge, AFailedSampleWithinTheAllowedNumberIsPublishedAsWrong) {
    RunFolder run;
    run.add_shard(0, batch(0, {1, 0}), 0);
    run.add_shard(1, batch(1, {1, 1}), 1);
    run.add_shard(0, {failed(8, {1, 2}), answer(9, {1, 2}), answer(10, {1, 2}), answer(11, {1, 2})}, 2);
    run.finish();
    MergeOptions options = run.options();
    options.max_failed_samples = 1;
    MergeOutcome outcome = run_merge(options);
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    EXPECT_FALSE(outcome.report.partial);
    EXPECT_EQ(outcome.report.failed, 1);
    EXPECT_THAT(outcome.report.ids, ElementsAre("8"));
    EXPECT_EQ(outcome.report.metrics.at(0).value, "0.750000");
}

TEST(MergePartial, PublishesWhatIsThereAndSaysSo) {
    RunFolder run;
    run.add_shard(0, batch(0, {1, 0}), 0, false);
    run.add_shard(1, batch(1, {1, 1}), 1);
    std::ofstream(run.shared + "/" + run.shards[0], std::ios::app | std::ios::binary) << "a torn tail";
    run.write("manifest.jsonl", encode_manifest(run.manifest));
    MergeOptions options = run.options();
    options.allow_partial = true;
    MergeOutcome outcome = run_merge(options);
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    EXPECT_TRUE(outcome.report.partial);
    EXPECT_EQ(outcome.report.missing, 4);
    EXPECT_THAT(outcome.report.ids, ElementsAre("8", "9", "10", "11"));
    EXPECT_EQ(outcome.report.metrics.at(0).samples, 8);
    Json metrics = Json::parse(run.read(outcome.report.path + "/metrics.json"));
    EXPECT_EQ(metrics.at("partial"), true);
    EXPECT_EQ(metrics.at("missing"), 4);
    EXPECT_THAT(run.read(outcome.report.path + "/report.html"), HasSubstr("Partial result"));
}

TEST(MergePartial, OfAWholeRunIsWhole) {
    RunFolder run;
    MergeOutcome whole = whole_run(run);
    MergeOptions options = run.options();
    options.allow_partial = true;
    MergeOutcome outcome = run_merge(options);
    EXPECT_FALSE(outcome.report.partial);
    EXPECT_EQ(outcome.report.digest, whole.report.digest);
}

TEST(Merge, AVolumeThatRefusesWritesIsWorthAnotherTry) {
    RunFolder run;
    run.add_whole_run();
    run.finish();
    run.write("results", "a file where the folder should be");
    EXPECT_EQ(run_merge(run.options()).exit_code, exit_code::storage);
}

TEST(MergeMain, LeavesTheReportInTheTerminationLog) {
    RunFolder run;
    run.add_whole_run();
    run.finish();
    run.write("termination-log", "something longer that was there before " + std::string(5000, 'x'));
    testing::internal::CaptureStdout();
    int status = merge_main({{"EVALJOB_SHARED_DIR", run.shared},
                             {"EVALJOB_NAME", "wardrobe-job"},
                             {"EVALJOB_MERGE", R"({"allowPartial":false,"maxFailedSamples":0})"},
                             {"EVALJOB_TERMINATION_LOG", run.shared + "/termination-log"}});
    std::string printed = testing::internal::GetCapturedStdout();
    EXPECT_EQ(status, exit_code::success);
    auto report = decode_merge_report(run.read("termination-log"));
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->published);
    EXPECT_THAT(printed,
                AllOf(HasSubstr("83.33 %"), HasSubstr("12 samples"), HasSubstr(report->path + "/report.html")));
    EXPECT_THAT(run.read(report->path + "/report.html"), HasSubstr("<h1>wardrobe-job</h1>"));
}

TEST(MergeMain, LeavesTheReasonWhenItRefuses) {
    RunFolder run;
    testing::internal::CaptureStderr();
    int status = merge_main({{"EVALJOB_SHARED_DIR", run.shared}, {"EVALJOB_TERMINATION_LOG", run.shared + "/log"}});
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("manifest.jsonl"));
    EXPECT_EQ(status, exit_code::proof);
    auto report = decode_merge_report(run.read("log"));
    ASSERT_TRUE(report);
    EXPECT_FALSE(report->published);
    EXPECT_THAT(report->error, HasSubstr("manifest.jsonl"));
}

/// The folder of a finished run, and the environment of a merge of an EvalJob that is bound to it.
struct BoundMerge {
    BoundMerge() {
        run.add_whole_run();
        run.finish();
        run.write("spec", fashion_spec());
        environment = {{"EVALJOB_SHARED_DIR", run.shared},
                       {"EVALJOB_RUN_FOLDER", run.shared},
                       {"EVALJOB_SPEC_SHA256", sha256_hex(run.read("spec"))},
                       {"EVALJOB_IDENTITY", run.identity()},
                       {"EVALJOB_TERMINATION_LOG", run.shared + "/termination-log"}};
    }
    static std::string fashion_spec() {
        Eval eval;
        eval.model.path = "model.pt";
        Dataset dataset;
        dataset.name = "wardrobe";
        dataset.path = "images";
        dataset.labels_path = "labels";
        eval.datasets.push_back(dataset);
        return eval_to_json(eval).dump();
    }
    /// The exit status; what is said is `words`.
    int merge() {
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        const int status = merge_main(environment);
        testing::internal::GetCapturedStdout();
        testing::internal::GetCapturedStderr();
        words = decode_merge_report(run.read("termination-log"))->error;
        return status;
    }
    RunFolder run;
    Environment environment;
    std::string words;
};

TEST(MergeMain, ProvesWhatNode0Evaluated) {
    BoundMerge bound;
    EXPECT_EQ(bound.merge(), exit_code::success) << bound.words;
}

TEST(MergeMain, ProvesNoOtherEvaluationThatLiesInTheFolderInItsPlace) {
    for (const char* merge : {R"({"allowPartial":false})", R"({"allowPartial":true})"}) {
        BoundMerge bound;
        bound.environment["EVALJOB_MERGE"] = merge;
        bound.environment["EVALJOB_IDENTITY"] = std::string(64, 'a');
        EXPECT_EQ(bound.merge(), exit_code::identity) << merge;
        EXPECT_THAT(bound.words,
                    AllOf(HasSubstr("holds another evaluation (identity " + bound.run.identity().substr(0, 12)),
                          HasSubstr("aaaaaaaaaaaa"), HasSubstr("storage.path")));
        EXPECT_FALSE(std::filesystem::exists(bound.run.shared + "/CURRENT"));
    }
}

TEST(MergeMain, RefusesASpecThatIsNotTheOneItWasMadeFor) {
    BoundMerge bound;
    bound.run.write("spec", BoundMerge::fashion_spec() + " ");
    EXPECT_EQ(bound.merge(), exit_code::contract);
    EXPECT_THAT(bound.words, AllOf(HasSubstr("/spec: is not the spec that this Pod was made for"),
                                   HasSubstr("make the EvalJob again")));
}

TEST(MergeMain, OfAnEvalJobIsNeverUnbound) {
    BoundMerge bound;
    bound.environment.erase("EVALJOB_IDENTITY");
    EXPECT_EQ(bound.merge(), exit_code::contract);
    EXPECT_THAT(bound.words, HasSubstr("EVALJOB_IDENTITY is not set"));
}

struct OptionRow {
    const char* name;
    const char* merge;
    const char* named;
};
void PrintTo(const OptionRow& row, std::ostream* out) { *out << row.name; }

class MergeOptionsRefused : public testing::TestWithParam<OptionRow> {};

TEST_P(MergeOptionsRefused, NamingTheField) {
    RunFolder run;
    testing::internal::CaptureStderr();
    int status = merge_main({{"EVALJOB_SHARED_DIR", run.shared},
                             {"EVALJOB_MERGE", GetParam().merge},
                             {"EVALJOB_TERMINATION_LOG", run.shared + "/log"}});
    EXPECT_EQ(status, exit_code::usage);
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr(GetParam().named));
}

INSTANTIATE_TEST_SUITE_P(Rows, MergeOptionsRefused,
                         testing::Values(OptionRow{"NoJson", "yes", "EVALJOB_MERGE"},
                                         OptionRow{"WrongType", R"({"allowPartial":1})", "EVALJOB_MERGE.allowPartial"},
                                         OptionRow{"Negative", R"({"maxFailedSamples":-1})",
                                                   "EVALJOB_MERGE.maxFailedSamples"},
                                         OptionRow{"Scorers", R"({"scorers":{}})", "EVALJOB_MERGE.scorers"},
                                         OptionRow{"Unknown", R"({"outputs":[]})", "EVALJOB_MERGE.outputs"}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob
