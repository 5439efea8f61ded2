// The vision-language example as a package of AOTInductor, compiled on this machine: PyTorch's answers and choices, the
// same bytes from every number of ranks, and what is said of packages that do not fit. `./dev test` brings the Python
// that compiles; EVALJOB_TORCH_PYTHON names its folder. EVALJOB_REQUIRE_TORCHRUN: it must be there.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>

#include "tests/e2e/evaluation.hpp"
#include "tests/e2e/vision_language.hpp"
#include "tests/torch/packages.hpp"

namespace evaljob::e2e {
namespace {

using namespace vision_language;

class AotGeneration : public testing::Test {
protected:
    void SetUp() override {
        const std::string why = no_packages();
        if (why.empty()) {
            package_ = package({}, vision_language::example + "/");
            ASSERT_FALSE(package_.empty());
            return;
        }
        if (std::getenv("EVALJOB_REQUIRE_TORCHRUN") != nullptr) FAIL() << why;
        GTEST_SKIP() << why;
    }

    Variant packaged(Variant run) const {
        run.package = package_;
        return run;
    }

    std::vector<Json> results(const Variant& run) const {
        return lines_of(published(packaged(run)).at("results.jsonl"));
    }

    std::string package_;
};

TEST_F(AotGeneration, AnswersAndScoresArePyTorchsAndTheSameBytesFromEveryNumberOfRanks) {
    const Published four = published(packaged({.nodes = 2, .procs = 2}));
    expect_reference_answers(four);
    EXPECT_EQ(published(packaged({})), four);
}

TEST_F(AotGeneration, GivesTheSameBytesWhenRanksAreKilled) {
    const Variant run = packaged({.nodes = 2, .procs = 2});
    EXPECT_EQ(published_though_ranks_die(job(run), kills), published(run));
}

TEST_F(AotGeneration, ChoicesAndTheirScoresArePyTorchs) {
    expect_reference_choices(published(packaged({.nodes = 1, .procs = 2, .choices = true})));
}

TEST_F(AotGeneration, GivesTheSameAnswersInBatchesOfOne) {
    const auto alone = results({.batch = 1, .limit = 100});
    const auto together = results({.batch = 32, .limit = 100});
    ASSERT_EQ(alone.size(), 100U);
    ASSERT_EQ(together.size(), 100U);
    for (std::size_t i = 0; i < alone.size(); ++i)
        EXPECT_EQ(alone[i].at("prediction"), together[i].at("prediction")) << i;
}

TEST_F(AotGeneration, DrawsWhatTorchScriptDraws) {
    const Variant run{.limit = 40, .temperature = "1.5"};
    const auto drawn = results(run);
    const auto expected = lines_of(published(run).at("results.jsonl"));
    ASSERT_EQ(drawn.size(), 120U);
    ASSERT_EQ(expected.size(), drawn.size());
    // A random number may fall between two nearly equal sums; that two differ is already much.
    int differ = 0;
    int repeats_differ = 0;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
        differ += drawn[i].at("prediction") != expected[i].at("prediction") ? 1 : 0;
        repeats_differ += drawn[i].at("prediction") != drawn[i - i % 3].at("prediction") ? 1 : 0;
    }
    EXPECT_LE(differ, 2);
    EXPECT_GT(repeats_differ, 10) << "each repeat has a seed of its own";
}

/// All of it in the archive, the names in its directory too.
std::string renamed(std::string bytes, const std::string& from, const std::string& to) {
    EXPECT_EQ(from.size(), to.size());
    std::size_t count = 0;
    for (std::size_t at = 0; (at = bytes.find(from, at)) != std::string::npos; ++count)
        bytes.replace(at, to.size(), to);
    EXPECT_GT(count, 0U) << from;
    return bytes;
}

struct Row {
    const char* name;
    std::function<std::string(std::string bytes)> spoil;
    std::vector<std::string> says;
    int batch = 32;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

const Row rows[] = {
    {"WithoutItsTokens",
     [](std::string bytes) { return renamed(std::move(bytes), "extra/evaljob.json", "extra/evaljob.text"); },
     {"model.pt2 holds no compiled program `model`", "with the extra file evaljob.json (docs/runner.md)"}},
    {"WithoutAStep",
     [](std::string bytes) { return renamed(std::move(bytes), "aotinductor/step/", "aotinductor/leap/"); },
     {"model.pt2 has evaljob.json, but no compiled program `step`", "prefill and step (docs/runner.md)"}},
    {"WithTokensThatAreNone",
     [](std::string bytes) { return renamed(std::move(bytes), "\"maxNewTokens\"", "\"maxOldTokens\""); },
     {"model.pt2 has evaljob.json in it: ", "maxNewTokens"}},
    {"MadeForAnotherDevice",
     [](std::string bytes) { return renamed(std::move(bytes), "KEY\": \"cpu\"", "KEY\": \"xpu\""); },
     {"model.pt2 does not fit this machine: it was compiled for the device xpu, this rank computes on cpu"}},
    {"BatchesThatAreTooLarge",
     [](std::string bytes) { return bytes; },
     {"dataset questions: the package does not take every batch of 1 to 1025 texts", "prompts of 1 to 16 tokens",
      "expected to be <= 1024, but got: 1025", "Export prefill and step with these sizes dynamic"},
     1025},
};

class Refused : public AotGeneration, public testing::WithParamInterface<Row> {};

TEST_P(Refused, SaysWhyAndPublishesNothing) {
    Evaluation evaluation("aot-generation");
    std::ofstream(evaluation.folder() + "/model.pt2", std::ios::binary) << GetParam().spoil(read_text(package_));
    const Json spoiled = job({.batch = GetParam().batch, .limit = 10, .package = "model.pt2"});
    EXPECT_EQ(evaluation.start_text(spoiled.dump())->wait(), 1);
    for (const auto& part : GetParam().says)
        EXPECT_NE(evaluation.console().find(part), std::string::npos) << part << "\n" << evaluation.console();
    EXPECT_TRUE(evaluation.published().empty());
}

INSTANTIATE_TEST_SUITE_P(Table, Refused, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::e2e
