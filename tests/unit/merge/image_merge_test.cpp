// The merge of what an image that is not ours wrote: JSON lines of every node, with and without an expectation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/exit_code.hpp"
#include "api/names.hpp"
#include "evaljob-runner/merge/merge.hpp"
#include "run_folder.hpp"

namespace evaljob {
namespace {

using test::RunFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr int samples = 6;  // sample i is of class i % 3

std::string dimension(int n) { return {'\0', '\0', '\0', static_cast<char>(n)}; }

Dataset wardrobe() {
    Dataset dataset;
    dataset.name = "wardrobe";
    dataset.path = "images";
    dataset.labels_path = "labels";
    dataset.task.classes = {"Shirt", "Coat", "Bag"};
    return dataset;
}

/// One job's folder: two nodes, attempt 1.
class Job {
public:
    Job() {
        std::string images = std::string("\0\0\x08\x03", 4) + dimension(samples) + dimension(1) + dimension(1);
        std::string labels = std::string("\0\0\x08\x01", 4) + dimension(samples);
        for (int i = 0; i < samples; ++i) {
            images += static_cast<char>(100 + i);
            labels += static_cast<char>(i % 3);
        }
        run.write("images", images);
        run.write("labels", labels);
    }

    void write(int node, const std::string& name, const std::string& lines, int attempt = 1) {
        const std::string folder = names::output_dir(run.shared, "job-1", node, attempt);
        std::filesystem::create_directories(folder);
        std::ofstream(folder + "/" + name, std::ios::binary) << lines;
    }

    /// All samples, all right: the even ones by node 0, the odd ones by node 1.
    void write_all() {
        for (int node = 0; node < 2; ++node) {
            std::string lines;
            for (int i = node; i < samples; i += 2) lines += line(i, i % 3);
            write(node, "rank-" + std::to_string(node) + ".jsonl", lines);
        }
    }

    static std::string line(int id, int prediction) {
        return Json{{"id", id}, {"prediction", prediction}, {"confidence", 0.75}}.dump() + "\n";
    }

    MergeOptions expecting(bool allow_partial = false, std::int64_t max_failed = 0) const {
        return {run.shared,    "",         "wardrobe-job",
                allow_partial, max_failed, ImageOutput{"job-1", 1, 2, wardrobe(), run.shared}};
    }
    MergeOptions unscored() const {
        MergeOptions options = expecting();
        options.image->expect.reset();
        return options;
    }

    Json published(const MergeOutcome& outcome, const std::string& name) const {
        return Json::parse(run.read(outcome.report.path + "/" + name), nullptr, false);
    }
    std::vector<Json> result_lines(const MergeOutcome& outcome) const {
        std::vector<Json> lines;
        std::istringstream text(run.read(outcome.report.path + "/results.jsonl"));
        for (std::string line; std::getline(text, line);) lines.push_back(Json::parse(line));
        return lines;
    }

    RunFolder run;
};

void expect_refused(const MergeOutcome& outcome, const Job& job, const std::vector<std::string>& named) {
    EXPECT_EQ(outcome.exit_code, exit_code::proof);
    EXPECT_FALSE(outcome.report.published);
    for (const std::string& text : named) EXPECT_THAT(outcome.report.error, HasSubstr(text));
    EXPECT_FALSE(job.run.exists("CURRENT"));
}

TEST(ImageMerge, ProvesAndScoresWhatIsExpected) {
    Job job;
    job.write_all();
    job.write(1, "rank-1.jsonl",
              Job::line(1, 1) +
                  R"({"id": "3", "prediction": "Bag", "note": "by name"})"
                  "\n" +
                  Job::line(5, 2));
    const auto outcome = run_merge(job.expecting());
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    EXPECT_EQ(outcome.report.samples, samples);
    EXPECT_EQ(outcome.report.missing, 0);
    EXPECT_EQ(outcome.report.metrics.at(0).value, "0.833333");
    const Json metrics = job.published(outcome, "metrics.json");
    EXPECT_EQ(metrics.at("missing"), 0);
    EXPECT_FALSE(metrics.contains("completeness"));
    const auto lines = job.result_lines(outcome);
    ASSERT_EQ(lines.size(), 6U);
    EXPECT_EQ(lines[3], Json::parse(R"({"id": "3", "dataset": "wardrobe", "prediction": 2, "target": 0,
                                        "group": "Shirt", "fields": {"note": "by name"}, "accuracy": 0})"));
    EXPECT_EQ(lines[5].at("confidence"), 0.75);
    EXPECT_EQ(job.published(outcome, "proof.json").at("files").at(1).at("path"),
              "runs/job-1/node-1/attempt-1/rank-1.jsonl");
    const std::string page = job.run.read(outcome.report.path + "/report.html");
    EXPECT_THAT(page, HasSubstr("6 samples, each counted exactly once"));
    EXPECT_THAT(page, HasSubstr("node-0/attempt-1/rank-0.jsonl"));
    EXPECT_THAT(page, Not(HasSubstr("shard log")));
    EXPECT_THAT(page, Not(HasSubstr("<dt>Model"))) << "the image's own, of which nothing is known";
}

TEST(ImageMerge, HowLinesAreSpreadOverFilesAndNodesChangesNoByte) {
    Job one, other;
    one.write_all();
    std::string all;
    for (int i = samples - 1; i >= 0; --i) all += Job::line(i, i % 3);
    other.write(0, "a/deep/x.jsonl.tmp", "not read");
    other.write(1, "all.jsonl", all);
    const auto first = run_merge(one.expecting());
    const auto second = run_merge(other.expecting());
    ASSERT_EQ(first.exit_code, exit_code::success) << first.report.error;
    EXPECT_EQ(first.report.digest, second.report.digest);
}

TEST(ImageMerge, EqualRepeatsAreOrdinaryWhateverElseTheirLinesHold) {
    Job job;
    job.write_all();
    job.write(1, "rank-9.jsonl",
              R"({"id": 0, "prediction": "Shirt", "rank": 9})"
              "\n" +
                  Job::line(2, 2));
    const auto outcome = run_merge(job.expecting());
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    EXPECT_EQ(outcome.report.repeated, 2);
    EXPECT_EQ(outcome.report.conflicting, 0);
    EXPECT_EQ(outcome.report.metrics.at(0).samples, samples);
    EXPECT_EQ(job.result_lines(outcome)[0].at("fields"), (Json{{"confidence", 0.75}})) << "the first line's";
    EXPECT_EQ(job.published(outcome, "proof.json").at("extraRecords"), 2);
}

TEST(ImageMerge, TwoPredictionsOfOneSampleAreAFaultWithBothPlaces) {
    Job job;
    job.write_all();
    job.write(1, "rank-9.jsonl", "\n" + Job::line(2, 0));
    const auto expected = run_merge(job.expecting());
    expect_refused(expected, job,
                   {"sample \"2\" has two predictions: 2 (runs/job-1/node-0/attempt-1/rank-0.jsonl line 2) and 0 "
                    "(runs/job-1/node-1/attempt-1/rank-9.jsonl line 2)"});
    EXPECT_EQ(expected.report.conflicting, 1);
    expect_refused(run_merge(job.unscored()), job, {"sample \"2\" has two predictions"});
}

TEST(ImageMerge, MissingAndForeignSamplesPublishNothing) {
    Job job;
    job.write(0, "rank-0.jsonl", Job::line(0, 0) + Job::line(1, 1) + Job::line(2, 2) + Job::line(3, 0));
    job.write(1, "rank-1.jsonl", Job::line(77, 1));
    const auto outcome = run_merge(job.expecting());
    expect_refused(outcome, job,
                   {"2 of 6 samples have no record: 4, 5", "1 foreign records", "id \"77\"",
                    "node-1/attempt-1/rank-1.jsonl line 1"});
    EXPECT_EQ(outcome.report.missing, 2);
    EXPECT_EQ(outcome.report.foreign, 1);
    EXPECT_THAT(outcome.report.ids, ElementsAre("4", "5", HasSubstr("77")));
}

TEST(ImageMerge, OnlyTheLastAttemptCounts) {
    Job job;
    for (int node = 0; node < 2; ++node) job.write(node, "all.jsonl", Job::line(0, 1), 0);
    job.write_all();
    const auto outcome = run_merge(job.expecting());
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    EXPECT_EQ(outcome.report.repeated, 0);
}

TEST(ImageMerge, LinesThatCannotBeReadAreNamedByFileAndLine) {
    Job job;
    job.write_all();
    job.write(1, "torn.jsonl", Job::line(0, 0) + "{\"id\": 1, \"pred");
    job.write(1, "wrong.jsonl", R"({"id": 1, "prediction": "coat"})");
    expect_refused(run_merge(job.expecting()), job,
                   {"runs/job-1/node-1/attempt-1/torn.jsonl line 2: is no JSON",
                    "wrong.jsonl line 1: prediction must be the class's number, 0 to 2, or its name, is \"coat\""});
}

TEST(ImageMerge, ManyBadLinesAreCounted) {
    Job job;
    job.write_all();
    std::string lines;
    for (int i = 0; i < 1000; ++i) lines += "x\n";
    job.write(0, "bad.jsonl", lines);
    const auto outcome = run_merge(job.expecting(true));
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    EXPECT_TRUE(outcome.report.partial);
    const Json faults = job.published(outcome, "proof.json").at("faults");
    EXPECT_EQ(faults.size(), 21U);
    EXPECT_EQ(faults.back(), "980 more lines cannot be read");
}

TEST(ImageMerge, FailedSamplesCountAsWrongUpToTheLimit) {
    Job job;
    job.write_all();
    job.write(1, "rank-1.jsonl",
              Job::line(1, 1) + Job::line(5, 2) + R"({"id": 3, "prediction": null, "error": "out of memory"})");
    expect_refused(run_merge(job.expecting()), job, {"1 of 6 samples failed", ": 3"});
    const auto outcome = run_merge(job.expecting(false, 1));
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    EXPECT_EQ(outcome.report.metrics.at(0).value, "0.833333");
    EXPECT_EQ(job.result_lines(outcome)[3].at("error"), "out of memory");
}

TEST(ImageMerge, AnExpectedDatasetThatIsNotThereIsBadInput) {
    Job job;
    job.write_all();
    std::filesystem::remove(job.run.shared + "/labels");
    const auto outcome = run_merge(job.expecting());
    EXPECT_EQ(outcome.exit_code, exit_code::bad_input);
    EXPECT_THAT(outcome.report.error, HasSubstr("merge.expect: dataset wardrobe"));
}

TEST(ImageMergeUnscored, KeepsAllLinesInAFixedOrderAndCountsNoMissing) {
    Job job;
    job.write(0, "a.jsonl",
              Job::line(10, 1) +
                  R"({"id": "b", "prediction": {"text": "x"}})"
                  "\n" +
                  Job::line(9, 1));
    job.write(1, "b.jsonl",
              R"({"id": "a", "prediction": null})"
              "\n" +
                  Job::line(-1, 7) + Job::line(9, 1));
    MergeOptions options = job.unscored();
    options.max_failed_samples = 1;
    const auto outcome = run_merge(options);
    ASSERT_EQ(outcome.exit_code, exit_code::success) << outcome.report.error;
    EXPECT_EQ(outcome.report.samples, 5);
    EXPECT_EQ(outcome.report.missing, std::nullopt);
    EXPECT_EQ(outcome.report.repeated, 1);
    EXPECT_EQ(outcome.report.failed, 1);
    EXPECT_FALSE(outcome.report.partial);
    EXPECT_TRUE(outcome.report.metrics.empty());
    std::vector<std::string> ids;
    for (const Json& line : job.result_lines(outcome)) ids.push_back(line.at("id").get<std::string>());
    EXPECT_THAT(ids, ElementsAre("-1", "9", "10", "a", "b"));
    EXPECT_EQ(job.result_lines(outcome)[4], Json::parse(R"({"id": "b", "prediction": {"text": "x"}})"));
    EXPECT_EQ(job.result_lines(outcome)[3].at("error"), "the prediction is null");
    const Json metrics = job.published(outcome, "metrics.json");
    EXPECT_EQ(metrics.at("completeness"), "Unknown");
    EXPECT_FALSE(metrics.contains("missing"));
    EXPECT_FALSE(job.published(outcome, "proof.json").contains("missing"));
    const std::string page = job.run.read(outcome.report.path + "/report.html");
    EXPECT_THAT(page, HasSubstr("CompletenessUnknown"));
    EXPECT_THAT(page, HasSubstr("No score"));
    EXPECT_THAT(page, Not(HasSubstr("missing</dt>")));
    EXPECT_THAT(page, Not(HasSubstr("exactly once")));
    EXPECT_THAT(job.run.read(outcome.report.path + "/results.csv"),
                HasSubstr("id,prediction,error\r\n'-1,7,\r\n9,1,\r\n"));
}

// VLMEvalKit #142: only node 0 had saved.
TEST(ImageMergeUnscored, ANodeThatWroteNothingIsAFault) {
    Job job;
    job.write(0, "rank-0.jsonl", Job::line(0, 0));
    expect_refused(run_merge(job.unscored()), job, {"node 1 wrote no .jsonl file", "merge.expect"});
    job.write(1, "rank-1.jsonl", "");
    EXPECT_EQ(run_merge(job.unscored()).exit_code, exit_code::success) << "an empty file says it in so many words";
}

TEST(ImageMergeUnscored, NoRecordAtAllIsNoResult) {
    Job job;
    for (int node = 0; node < 2; ++node) job.write(node, "rank.jsonl", "\n");
    expect_refused(run_merge(job.unscored()), job, {"nothing was evaluated"});
}

}  // namespace
}  // namespace evaljob
