// On a machine that has a GPU, and what is said on one that has none. `./dev cuda` builds this with CUDA.
#include <gtest/gtest.h>

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "tests/e2e/evaluation.hpp"

namespace evaljob::e2e {
namespace {

bool there_is_a_gpu() { return std::filesystem::exists("/dev/nvidiactl"); }

const Shape one_gpu{.nodes = 1, .procs = 1, .limit = 3000, .device = "CUDA"};

TEST(Gpu, ThatIsNotThereIsNamed) {
    if (there_is_a_gpu()) GTEST_SKIP() << "there is a CUDA device";
    Evaluation evaluation("nogpu");
    EXPECT_EQ(evaluation.start(one_gpu)->wait(), 1);
    EXPECT_NE(evaluation.console().find("wants device 0, but node 0 shows 0"), std::string::npos)
        << evaluation.console();
    EXPECT_TRUE(evaluation.published().empty());
}

struct Row {
    const char* name;
    Json inference;  // beside the device
    std::vector<const char*> says;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class OnAGpu : public testing::TestWithParam<Row> {};
INSTANTIATE_TEST_SUITE_P(Gpu, OnAGpu,
                         testing::Values(Row{"AsItIs", Json::object(), {}},
                                         Row{"InSmallBatches", {{"maxBatchSize", 3}}, {}},
                                         Row{"WithGraphs",
                                             {{"cudaGraphs", "Auto"}},
                                             {"inference.cudaGraphs: batches of [16,1,28,28] are "}}),
                         [](const auto& info) { return std::string(info.param.name); });

/// The next batch's input is copied while one is computed, always: what came too late would be another's.
TEST_P(OnAGpu, PredictsAsTheCpuDoes) {
    if (!there_is_a_gpu()) GTEST_SKIP() << "no CUDA device";
    Json job = evaljob_object(one_gpu);
    job["spec"]["eval"]["inference"].update(GetParam().inference);
    Evaluation gpu("gpu");
    ASSERT_EQ(gpu.start_text(job.dump(1))->wait(), 0) << gpu.console();
    for (const char* words : GetParam().says) EXPECT_NE(gpu.console().find(words), std::string::npos) << gpu.console();
    Evaluation cpu("cpu");
    ASSERT_EQ(cpu.start({.nodes = 1, .procs = 1, .limit = 3000})->wait(), 0) << cpu.console();
    const auto on_gpu = lines_of(gpu.published().at("results.jsonl"));
    const auto on_cpu = lines_of(cpu.published().at("results.jsonl"));
    ASSERT_EQ(on_gpu.size(), on_cpu.size());
    int other = 0;
    for (std::size_t i = 0; i < on_gpu.size(); ++i) other += on_gpu[i]["prediction"] != on_cpu[i]["prediction"] ? 1 : 0;
    EXPECT_LE(other, 3) << "of 3,000: sums are rounded otherwise";
}

/// Recording, replaying and comparing are of no consequence to the bytes.
TEST(Gpu, GivesTheSameBytesWithGraphs) {
    if (!there_is_a_gpu()) GTEST_SKIP() << "no CUDA device";
    Json job = evaljob_object(one_gpu);
    Evaluation without("plain");
    ASSERT_EQ(without.start_text(job.dump(1))->wait(), 0) << without.console();
    job["spec"]["eval"]["inference"]["cudaGraphs"] = "Auto";
    Evaluation with("graphs");
    ASSERT_EQ(with.start_text(job.dump(1))->wait(), 0) << with.console();
    EXPECT_EQ(with.published().at("results.jsonl"), without.published().at("results.jsonl"));
}

/// One GPU is a group of one, which needs nobody; that NCCL is there at all is seen.
TEST(Gpu, BringsTheModelWithNccl) {
    if (!there_is_a_gpu()) GTEST_SKIP() << "no CUDA device";
    Json job = evaljob_object(one_gpu);
    job["spec"]["eval"]["inference"]["backend"] = "NCCL";
    Evaluation evaluation("nccl");
    EXPECT_EQ(evaluation.start_text(job.dump(1))->wait(), 0) << evaluation.console();
}

}  // namespace
}  // namespace evaljob::e2e
