#include "tests/e2e/vision_language.hpp"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "tests/e2e/evaluation.hpp"

namespace evaljob::e2e::vision_language {

namespace {

/// By metric and group.
Json scores_of(const Published& files) {
    Json scores;
    const Json all = Json::parse(files.at("metrics.json"));
    for (const Json& metric : all.at("metrics"))
        scores[metric.at("name").get<std::string>()][metric.at("group").get<std::string>()] = metric.at("value");
    return scores;
}

}  // namespace

Json job(const Variant& run) {
    Json dataset = {{"name", "questions"},
                    {"format", "TSV"},
                    {"path", example + (run.choices ? "/choices.tsv" : "/questions.tsv")},
                    {"limit", run.limit},
                    {"task", {{"type", "Generation"}, {"groupBy", "category"}}}};
    if (run.choices) {
        dataset["task"]["type"] = "MultipleChoice";
        dataset["task"]["metrics"] = {"Accuracy", "NormalizedAccuracy"};
    }
    Json eval = {{"model", {{"format", "TorchScript"}, {"path", example + "/model.pt"}}},
                 {"inference", {{"device", "CPU"}, {"maxBatchSize", run.batch}}}};
    if (!run.package.empty()) eval["model"] = {{"format", "AOTInductor"}, {"path", run.package}};
    if (run.temperature != nullptr) {
        dataset["task"]["temperature"] = run.temperature;
        dataset["task"]["topP"] = "0.9";
        eval["repeats"] = 3;
    }
    if (run.refill > 0) eval["inference"]["refillRows"] = run.refill;
    if (run.tokens > 0) eval["inference"]["maxBatchTokens"] = run.tokens;
    eval["datasets"] = Json::array({dataset});
    return {{"apiVersion", "evaljob.dev/v1alpha1"},
            {"kind", "EvalJob"},
            {"metadata", {{"name", "vl"}}},
            {"spec",
             {{"numNodes", run.nodes},
              {"numProcPerNode", run.procs},
              {"eval", std::move(eval)},
              {"storage", {{"path", "output"}}}}}};
}

Published published(const Variant& run) {
    Evaluation evaluation("generation");
    EXPECT_EQ(evaluation.start_text(job(run).dump(1))->wait(), 0) << evaluation.console();
    return evaluation.published();
}

Json& eval_of(Json& job) { return job["spec"]["eval"]; }

void expect_reference_answers(const Published& files) {
    const auto results = lines_of(files.at("results.jsonl"));
    auto expected = lines_of(read_text(example + "/reference.jsonl"));
    const Json header = expected.front();
    expected.erase(expected.begin());
    const auto exempt = header.at("exempt").get<std::set<std::string>>();
    ASSERT_EQ(results.size(), 1000U);
    ASSERT_EQ(expected.size(), results.size());
    ASSERT_LT(exempt.size(), 10U) << "too many exemptions to prove anything";
    for (std::size_t i = 0; i < results.size(); ++i) {
        ASSERT_EQ(results[i].at("id"), expected[i].at("id"));
        if (exempt.contains(results[i].at("id").get<std::string>())) continue;
        EXPECT_EQ(results[i].at("prediction"), expected[i].at("prediction")) << "sample " << i;
    }
    if (exempt.empty()) {
        EXPECT_EQ(scores_of(files), header.at("metrics"));
    }
}

void expect_reference_choices(const Published& files) {
    const auto results = lines_of(files.at("results.jsonl"));
    auto expected = lines_of(read_text(example + "/reference-choices.jsonl"));
    const Json header = expected.front();
    expected.erase(expected.begin());
    ASSERT_TRUE(header.at("exempt").empty());
    ASSERT_EQ(results.size(), 200U);
    ASSERT_EQ(expected.size(), results.size());
    int differ = 0;
    for (std::size_t i = 0; i < results.size(); ++i) {
        ASSERT_EQ(results[i].at("id"), expected[i].at("id"));
        EXPECT_EQ(results[i].at("prediction"), expected[i].at("prediction")) << "sample " << i;
        EXPECT_EQ(results[i].at("fields").at("normalized"), expected[i].at("normalized")) << "sample " << i;
        differ += results[i].at("prediction") != results[i].at("fields").at("normalized") ? 1 : 0;
    }
    EXPECT_GT(differ, 0) << "else it is not known which of the two is which";
    EXPECT_EQ(scores_of(files), header.at("metrics"));
}

}  // namespace evaljob::e2e::vision_language
