// Several answers to a sample: what they say of a score's certainty, and pass@k.
#include <gtest/gtest.h>

#include <cmath>

#include "evaljob-runner/merge/metrics.hpp"
#include "run_folder.hpp"

namespace evaljob {
namespace {

using test::RunFolder;

/// Questions in two groups, each asked `repeats` times; `right[i]` of the answers to question i are.
struct RepeatedRun : RunFolder {
    RepeatedRun(std::uint32_t repeats, const std::vector<std::uint32_t>& right, const std::vector<int>& pass_at) {
        Json task{{"type", "Generation"}, {"metrics", {"ExactMatch"}}};
        if (!pass_at.empty()) task["passAt"] = pass_at;
        manifest = {};
        manifest.config = {{"datasets", Json::array({{{"name", "qa"}, {"task", task}}})}};
        manifest.repeats = repeats;
        std::vector<Record> records;
        for (std::size_t i = 0; i < right.size(); ++i) {
            const std::string id = "q" + std::to_string(i);
            manifest.samples.push_back({0, id, std::string(32, 'b'), "yes", i % 2 == 0 ? "even" : "odd"});
            for (std::uint32_t repeat = 0; repeat < repeats; ++repeat)
                records.push_back({0, id, repeat, {1, 0}, repeat < right[i] ? "yes" : "no", Json::object(), ""});
        }
        manifest.batches = plan_batches(manifest.samples, repeats, 3);
        add_shard(0, records, 0);
        finish();
    }

    Json metrics() {
        const MergeOutcome outcome = run_merge(options());
        EXPECT_EQ(outcome.exit_code, 0) << outcome.report.error;
        Json by_name;
        const Json all = Json::parse(read(outcome.report.path + "/metrics.json"));
        for (const Json& metric : all.at("metrics"))
            by_name[metric.at("name").get<std::string>()][metric.at("group").get<std::string>()] = metric;
        return by_name;
    }
};

double number(const Json& text) { return std::stod(text.get<std::string>()); }

TEST(Repeats, OfASampleAreNoIndependentSamples) {
    // Each sample is always right or always wrong: four answers say no more than one.
    RepeatedRun four(4, {4, 0, 4, 4, 0, 4, 4, 0}, {});
    RepeatedRun one(1, {1, 0, 1, 1, 0, 1, 1, 0}, {});
    const Json of_four = four.metrics()["exact_match"][""];
    const Json of_one = one.metrics()["exact_match"][""];
    EXPECT_EQ(of_four["value"], "0.625000");
    EXPECT_EQ(of_four["samples"], 32);
    EXPECT_EQ(of_one["value"], "0.625000");
    const double n = 8;
    const double p = 0.625;
    EXPECT_NEAR(number(of_four["stderr"]), std::sqrt(p * (1 - p) / (n - 1)), 1e-6);
    const Interval interval = wilson(p, n - 1);
    EXPECT_NEAR(number(of_four["interval"]["low"]), interval.low, 1e-6);
    EXPECT_NEAR(number(of_four["interval"]["high"]), interval.high, 1e-6);
    EXPECT_LT(number(of_four["interval"]["low"]), number(of_one["interval"]["low"]));
}

TEST(Repeats, ThatAreAllRightAreWorthTheirSamples) {
    RepeatedRun run(4, {4, 4, 4, 4, 4}, {});
    const Json metric = run.metrics()["exact_match"][""];
    EXPECT_EQ(metric["stderr"], "0.000000");
    EXPECT_EQ(metric["interval"]["low"], metric_value(wilson({5, 5}).low));
}

TEST(PassAtK, IsTheMeanOverTheSamplesAndTheirGroups) {
    RepeatedRun run(4, {4, 2, 0, 1}, {1, 2, 4});
    const Json metrics = run.metrics();
    EXPECT_EQ(metrics["pass@1"][""]["value"], metrics["exact_match"][""]["value"]);
    EXPECT_EQ(metrics["pass@2"][""]["value"], metric_value((1 + 5.0 / 6 + 0 + 0.5) / 4));
    EXPECT_EQ(metrics["pass@2"]["odd"]["value"], metric_value((5.0 / 6 + 0.5) / 2));
    EXPECT_EQ(metrics["pass@4"][""]["value"], "0.750000");
    EXPECT_EQ(metrics["pass@4"][""]["samples"], 4);
}

TEST(PassAtK, OfSingleAnswersIsTheirScore) {
    RepeatedRun run(1, {1, 0, 1}, {1});
    const Json metrics = run.metrics();
    EXPECT_EQ(metrics["pass@1"][""]["samples"], 3);
    EXPECT_EQ(metrics["pass@1"][""]["value"], metrics["exact_match"][""]["value"]);
}

TEST(PassAtK, IsNotCertainWhereAllHavePassed) {
    RepeatedRun run(4, {4, 4, 4, 4, 4}, {2});
    const Json interval = run.metrics()["pass@2"][""]["interval"];
    EXPECT_EQ(interval["method"], "Wilson");
    EXPECT_EQ(interval["low"], metric_value(wilson({5, 5}).low));
}

}  // namespace
}  // namespace evaljob
