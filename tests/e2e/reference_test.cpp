// The runner's predictions are PyTorch's, sample by sample, over the 10,000 test images.
// examples/fashion-mnist/reference.py made the numbers that they are held against; samples whose two best scores are
// closer than 1e-4 are listed there and exempt.
#include <gtest/gtest.h>

#include <set>

#include "tests/e2e/evaluation.hpp"
#include "tests/places.hpp"

namespace evaljob::e2e {
namespace {

TEST(Reference, PredictionsEqualPyTorchs) {
    Evaluation evaluation("reference");
    ASSERT_EQ(evaluation.start({.nodes = 1, .procs = 2, .limit = 10'000, .batch = 64})->wait(), 0)
        << evaluation.console();
    const auto results = lines_of(evaluation.published()["results.jsonl"]);
    auto expected = lines_of(read_text(EVALJOB_SOURCE_DIR "/examples/fashion-mnist/reference.jsonl"));
    const Json header = expected.front();
    expected.erase(expected.begin());
    const auto exempt = header.at("exempt").get<std::set<std::string>>();
    ASSERT_EQ(results.size(), 10'000U);
    ASSERT_EQ(expected.size(), results.size());
    ASSERT_LT(exempt.size(), 100U) << "too many exemptions to prove anything";
    for (std::size_t i = 0; i < results.size(); ++i) {
        ASSERT_EQ(results[i].at("id"), expected[i].at("id"));
        if (exempt.contains(results[i].at("id").get<std::string>())) continue;
        EXPECT_EQ(results[i].at("prediction"), expected[i].at("prediction")) << "sample " << i;
    }
}

class HalfPrecision : public testing::TestWithParam<const char*> {};

TEST_P(HalfPrecision, ChangesConfidencesAndHardlyAPrediction) {
    const Shape shape{.nodes = 1, .procs = 2, .limit = 1'000, .batch = 64};
    Json job = evaljob_object(shape);
    job["spec"]["eval"]["inference"]["precision"] = GetParam();
    Evaluation evaluation("precision");
    ASSERT_EQ(evaluation.start_text(job.dump(1))->wait(), 0) << evaluation.console();
    const auto results = lines_of(evaluation.published()["results.jsonl"]);
    const auto expected = lines_of(undisturbed(shape).published.at("results.jsonl"));
    ASSERT_EQ(results.size(), expected.size());
    int other_predictions = 0;
    int other_confidences = 0;
    for (std::size_t i = 0; i < results.size(); ++i) {
        ASSERT_EQ(results[i].at("id"), expected[i].at("id"));
        other_predictions += results[i].at("prediction") != expected[i].at("prediction") ? 1 : 0;
        other_confidences += results[i].at("confidence") != expected[i].at("confidence") ? 1 : 0;
    }
    EXPECT_LE(other_predictions, 20);
    EXPECT_GE(other_confidences, 100) << "was anything computed in this precision?";
}

INSTANTIATE_TEST_SUITE_P(Table, HalfPrecision, testing::Values("BF16", "FP16"),
                         [](const auto& row) { return std::string(row.param); });

}  // namespace
}  // namespace evaljob::e2e
