// Batches planned by tokens: what a sample counts as, and what that makes of a manifest.
#include "evaljob-runner/dataset/sample_tokens.hpp"

#include <gtest/gtest.h>

#include "evaljob-runner/manifest/build_manifest.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::test {
namespace {

struct Row {
    const char* name;
    const char* input;
    const char* tokens_by;
    std::uint64_t tokens;  // 0: refused
};

class SampleTokens : public testing::TestWithParam<Row> {};

TEST_P(SampleTokens, AreTheMembersOrAnEstimate) {
    Sample sample;
    sample.input = GetParam().input;
    const auto tokens = tokens_of(sample, GetParam().tokens_by);
    ASSERT_EQ(tokens.has_value(), GetParam().tokens > 0) << (tokens ? "" : tokens.error().message);
    EXPECT_EQ(tokens.value_or(0), GetParam().tokens);
}

INSTANTIATE_TEST_SUITE_P(
    Table, SampleTokens,
    testing::Values(Row{"ImagesAlone", "", "", 1024}, Row{"BytesOfATextAsItIsDecoded", R"({"q":"a\u00e9\n"})", "", 4},
                    Row{"OfAllMembers", R"({"q":"abc","n":12.5,"list":[1]})", "", 10},
                    Row{"AnImageInTheText", R"({"question":"what?","image":"iVBORw0KGgo="})", "", 5 + 1024},
                    Row{"AnImageByItsPathAndAnEmptyOne", R"({"q":"a","image":"","image_path":"a.png"})", "", 1 + 1024},
                    Row{"NoImage", R"({"q":"a","image":""})", "", 1},
                    Row{"SeveralImages", R"({"image":["a"]})", "", 1024},
                    Row{"AMember", R"({"q":"abc","tokens":17})", "tokens", 17},
                    Row{"ATextOfTsv", R"({"tokens":"17"})", "tokens", 17},
                    Row{"NoSuchMember", R"({"q":"abc"})", "tokens", 0}, Row{"NoInteger", R"({"n":1.5})", "n", 0},
                    Row{"Negative", R"({"n":-1})", "n", 0}, Row{"Zero", R"({"n":0})", "n", 0},
                    Row{"Words", R"({"n":"seven"})", "n", 0}, Row{"Boundless", R"({"n":2147483648})", "n", 0}),
    [](const auto& row) { return row.param.name; });

class ManifestByTokens : public testing::Test {
protected:
    ManifestByTokens() {
        eval_.model.format = ModelFormat::Command;
        eval_.model.command = {"program"};
        Dataset dataset;
        dataset.name = "qa";
        dataset.format = DatasetFormat::JSONL;
        dataset.path = "qa.jsonl";
        dataset.task.type = TaskType::Generation;
        eval_.datasets = {dataset};
        eval_.inference.max_batch_size = 2;
        folder_.write("qa.jsonl",
                      "{\"q\":\"a\",\"n\":3,\"target\":\"\"}\n{\"q\":\"abcdefgh\",\"n\":1,\"target\":\"\"}\n"
                      "{\"q\":\"abc\",\"n\":2,\"target\":\"\"}\n");
    }

    Manifest built() const {
        auto manifest = build_manifest(eval_, folder_.path(), "cpu");
        EXPECT_TRUE(manifest) << manifest.error().message;
        return manifest ? *manifest : Manifest();
    }
    std::vector<std::vector<std::uint64_t>> batches() const {
        std::vector<std::vector<std::uint64_t>> items;
        for (const ManifestBatch& batch : built().batches) items.push_back(batch.items);
        return items;
    }

    TemporaryFolder folder_;
    Eval eval_;
};

using Batches = std::vector<std::vector<std::uint64_t>>;

TEST_F(ManifestByTokens, IsInTheSamplesOrderWithoutABudget) {
    EXPECT_EQ(batches(), (Batches{{0, 1}, {2}}));
    EXPECT_FALSE(built().config["inference"].contains("maxBatchTokens")) << "identities of before stay as they are";
}

TEST_F(ManifestByTokens, HasTheLongestTogether) {
    eval_.inference.max_batch_tokens = 100;
    EXPECT_EQ(batches(), (Batches{{1, 2}, {0}}));
}

TEST_F(ManifestByTokens, IsAnotherEvaluation) {
    const std::string before = identity_of(built());
    eval_.inference.max_batch_tokens = 100;
    EXPECT_NE(identity_of(built()), before);
    EXPECT_EQ(identity_of(built()), identity_of(built()));
}

TEST_F(ManifestByTokens, IsAnotherEvaluationInAnotherPrecisionToo) {
    const std::string before = identity_of(built());
    EXPECT_FALSE(built().config["inference"].contains("precision"));
    eval_.inference.precision = Precision::BF16;
    EXPECT_NE(identity_of(built()), before);
}

TEST_F(ManifestByTokens, IsAnotherEvaluationWithRefilledRowsToo) {
    const std::string before = identity_of(built());
    EXPECT_FALSE(built().config["inference"].contains("refillRows"));
    eval_.inference.refill_rows = 1;
    EXPECT_NE(identity_of(built()), before);
    EXPECT_EQ(batches(), (Batches{{0, 1}, {2}})) << "what is leased together stays the same";
}

TEST_F(ManifestByTokens, CountsAsTheDatasetSays) {
    eval_.inference.max_batch_tokens = 100;
    eval_.datasets[0].tokens_by = "n";
    EXPECT_EQ(batches(), (Batches{{0, 2}, {1}}));
}

TEST_F(ManifestByTokens, IsRefusedWhereASampleDoesNotSay) {
    eval_.inference.max_batch_tokens = 100;
    eval_.datasets[0].tokens_by = "tokens";
    const auto manifest = build_manifest(eval_, folder_.path(), "cpu");
    ASSERT_FALSE(manifest);
    EXPECT_EQ(manifest.error().reason, "BadInput");
    EXPECT_NE(manifest.error().message.find("qa.jsonl line 1: has no tokens, which tokensBy names"), std::string::npos)
        << manifest.error().message;
}

}  // namespace
}  // namespace evaljob::test
