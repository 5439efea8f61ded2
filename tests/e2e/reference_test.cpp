// The runner's predictions are PyTorch's, sample by sample, over the 10,000 test images.
// examples/fashion-mnist/reference.py made the numbers that they are held against; samples whose two best scores are
// closer than 1e-4 are listed there and exempt.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "tests/e2e/evaluation.hpp"
#include "tests/places.hpp"

namespace evaljob::e2e {
namespace {

std::vector<Json> lines_of(const std::string& text) {
    std::vector<Json> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
    return lines;
}

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

}  // namespace
}  // namespace evaljob::e2e
