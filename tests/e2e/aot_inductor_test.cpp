// Engine AOTInductor with the example's network, compiled on this machine: the same labels as TorchScript's, the same
// bytes from every number of ranks, and what is said of packages that do not fit. `./dev test` brings the Python that
// compiles them; EVALJOB_TORCH_PYTHON names its folder. EVALJOB_REQUIRE_TORCHRUN: it must be there.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/e2e/evaluation.hpp"
#include "tests/torch/packages.hpp"

namespace evaljob::e2e {
namespace {

class AotInductor : public testing::Test {
protected:
    void SetUp() override {
        const std::string why = no_packages();
        if (why.empty()) return;
        if (std::getenv("EVALJOB_REQUIRE_TORCHRUN") != nullptr) FAIL() << why;
        GTEST_SKIP() << why;
    }

    static Json job(const Shape& shape, const std::string& model) {
        Json object = evaljob_object(shape);
        object["spec"]["eval"]["model"] = {{"format", "AOTInductor"}, {"path", model}};
        return object;
    }
};

/// Predictions by id.
std::map<std::string, Json> labels(const std::map<std::string, std::string>& published) {
    std::map<std::string, Json> found;
    for (const Json& line : lines_of(published.at("results.jsonl")))
        found[line.at("id").get<std::string>()] = line.at("prediction");
    return found;
}

TEST_F(AotInductor, GivesTorchScriptsLabelsAndTheSameBytesFromEveryNumberOfRanks) {
    const std::string model = package();
    ASSERT_FALSE(model.empty());
    // 1,001 samples: the last batch has one.
    const Shape one{.nodes = 1, .procs = 1, .limit = 1001, .batch = 20};
    const Shape four{.nodes = 2, .procs = 2, .limit = 1001, .batch = 20};
    Evaluation alone("aoti");
    ASSERT_EQ(alone.start_text(job(one, model).dump())->wait(), 0) << alone.console();
    Evaluation many("aoti4");
    ASSERT_EQ(many.start_text(job(four, model).dump())->wait(), 0) << many.console();
    EXPECT_EQ(many.published(), alone.published());
    EXPECT_EQ(many.result_folder().substr(many.output().size()), alone.result_folder().substr(alone.output().size()));
    const auto found = labels(alone.published());
    EXPECT_EQ(found.size(), 1001U);
    EXPECT_EQ(found, labels(undisturbed(one).published));
}

TEST_F(AotInductor, GivesTheSameBytesWhenRanksAreKilled) {
    const std::string model = package();
    ASSERT_FALSE(model.empty());
    const Shape shape{.nodes = 2, .procs = 2, .limit = 10'000, .batch = 20};
    Evaluation alone("aoti");
    ASSERT_EQ(alone.start_text(job(shape, model).dump())->wait(), 0) << alone.console();
    EXPECT_EQ(published_though_ranks_die(job(shape, model), {.first = 500, .every = 2500, .most = 3}),
              alone.published());
}

TEST_F(AotInductor, OfTheSameNetworkIsAnotherEvaluationThanTorchScript) {
    const std::string model = package();
    ASSERT_FALSE(model.empty());
    const Shape small{.nodes = 1, .procs = 1, .limit = 64};
    Evaluation evaluation("aoti-other");
    ASSERT_EQ(evaluation.start(small)->wait(), 0) << evaluation.console();
    EXPECT_EQ(evaluation.start_text(job(small, model).dump())->wait(), 1);
    EXPECT_NE(evaluation.console().find("holds the results of another evaluation"), std::string::npos);
}

}  // namespace
}  // namespace evaljob::e2e
