// The bug that this project exists for (VLMEvalKit #142, #1540): on 4 nodes × 3 processes rank and local rank were
// confused, devices were bound by rank, and each process made up its own output folder. Here it cannot happen
// unnoticed.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "evaljob-runner/shard/shard_log.hpp"
#include "evaljob-runner/storage/files.hpp"
#include "tests/e2e/evaluation.hpp"

namespace evaljob::e2e {
namespace {

// Twelve pretended devices: ranks take them as GPUs and compute on the CPU.
const char* const twelve_gpus = "GPU-0,GPU-1,GPU-2,GPU-3,GPU-4,GPU-5,GPU-6,GPU-7,GPU-8,GPU-9,GPU-10,GPU-11";

Shape twelve_processes(std::vector<std::string> command = {}) {
    return {.nodes = 4, .procs = 3, .limit = 1200, .batch = 8, .device = "CUDA", .command = std::move(command)};
}

TEST(VLMEvalKit142, TwelveProcessesHaveTheirOwnRankLocalRankDeviceAndOutput) {
    Evaluation evaluation("contract");
    Shape shape = twelve_processes();
    shape.schedule = "Static";  // who is slow to come has a part of its own: else eleven may have done it all by then
    ASSERT_EQ(evaluation.start(shape, {{"EVALJOB_TEST_GPUS", twelve_gpus}})->wait(), 0) << evaluation.console();

    const std::string runs = evaluation.output() + "/runs";
    const auto shards = list_files(runs, ".shard");
    ASSERT_TRUE(shards.has_value());
    std::set<std::int32_t> ranks;
    std::set<std::string> devices;
    std::uint64_t records = 0;
    for (const auto& name : *shards) {
        const auto log = read_shard_file(runs + "/" + name, UINT64_MAX, {});
        ASSERT_TRUE(log.has_value()) << log.error().message;
        const ShardHeader& h = log->header;
        EXPECT_EQ(h.rank, h.node_rank * 3 + h.local_rank) << name;
        EXPECT_NE(name.find("/node-" + std::to_string(h.node_rank) + "/"), std::string::npos) << name;
        EXPECT_EQ(h.device, "cuda GPU-" + std::to_string(h.rank)) << name;
        ranks.insert(h.rank);
        devices.insert(h.device);
        records += log->records;
    }
    EXPECT_EQ(shards->size(), 12U);
    EXPECT_EQ(ranks.size(), 12U);
    EXPECT_EQ(devices.size(), 12U);
    EXPECT_EQ(records, 1200U) << "all twelve processes' records are merged";
}

struct Confusion {
    const char* name;
    const char* wrapper;                // a line of sh in front of each rank
    std::vector<std::string> expected;  // in the message
};

class Confused : public testing::TestWithParam<Confusion> {};

/// The same twelve processes with a model that never answers: no evaluation ends before the confused ones have come.
Json unanswered(const std::string& wrapper) {
    Json job = evaljob_object(twelve_processes({"evaljob-runner", "launch", "--", wrapper}));
    Json& eval = job["spec"]["eval"];
    eval["model"] = {{"format", "Command"},
                     {"command", {"sh", "-c", R"(echo '{"ready": true}'; while read -r line; do :; done)"}}};
    eval["datasets"] = Json::array({{{"name", "questions"},
                                     {"format", "JSONL"},
                                     {"path", "questions.jsonl"},
                                     {"task", {{"type", "Generation"}, {"metrics", {"ExactMatch"}}}}}});
    return job;
}

TEST_P(Confused, EndsTheJobWithTheProcessesAndTheVariable) {
    Evaluation evaluation("confused");
    const std::string wrapper = evaluation.folder() + "/wrapper";
    std::ofstream(wrapper) << "#!/bin/sh\n" << GetParam().wrapper << "\nexec \"$@\"\n";
    std::filesystem::permissions(wrapper, std::filesystem::perms::owner_all);
    std::ofstream(evaluation.folder() + "/questions.jsonl") << R"({"target": "never said"})"
                                                            << "\n";
    auto program = evaluation.start_text(unanswered(wrapper).dump(1), {{"EVALJOB_TEST_GPUS", twelve_gpus}});
    EXPECT_EQ(program->wait(), 1);
    const std::string console = evaluation.console();
    for (const auto& text : GetParam().expected)
        EXPECT_NE(console.find(text), std::string::npos) << text << "\n" << console;
    EXPECT_TRUE(evaluation.published().empty());
}

INSTANTIATE_TEST_SUITE_P(
    VLMEvalKit142, Confused,
    testing::Values(
        Confusion{"RankSetToLocalRank", "RANK=$LOCAL_RANK; export RANK", {"RANK", "pid ", "NODE_RANK="}},
        Confusion{"TwoProcessesWithOneRank",
                  "if [ $NODE_RANK = 2 ] && [ $LOCAL_RANK = 1 ]; then RANK=6 LOCAL_RANK=0; export RANK LOCAL_RANK; fi",
                  {"RANK: two processes have RANK=6", "pid ", "NODE_RANK=2"}},
        Confusion{"DeviceThatDoesNotExist",
                  "if [ $RANK = 5 ]; then CUDA_VISIBLE_DEVICES=GPU-3,GPU-4; export CUDA_VISIBLE_DEVICES; fi",
                  {"LOCAL_RANK", "wants device 2", "CUDA_VISIBLE_DEVICES: GPU-3,GPU-4", "RANK=5", "pid "}},
        Confusion{"TwoRunIds",
                  "if [ $NODE_RANK = 3 ]; then EVALJOB_RUN_ID=$(date +%s); export EVALJOB_RUN_ID; fi",
                  {"EVALJOB_RUN_ID", "NODE_RANK=3", "pid "}}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::e2e
