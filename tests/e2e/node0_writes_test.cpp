// storage.writers: Node0 with the real programs: the other nodes write nothing, and the bytes are the same, whoever
// dies.
#include <gtest/gtest.h>
#include <signal.h>

#include <random>

#include "evaljob-runner/storage/files.hpp"
#include "tests/e2e/evaluation.hpp"

namespace evaljob::e2e {
namespace {

const Shape shape{.nodes = 3, .procs = 2};

std::unique_ptr<Program> start(Evaluation& evaluation, Shape of = shape) {
    Json job = evaljob_object(of);
    job["spec"]["storage"]["writers"] = "Node0";
    return evaluation.start_text(job.dump(1));
}

TEST(Node0Writes, GivesTheSameBytesAndNoOtherNodeWrites) {
    Evaluation evaluation("node0");
    Shape in_parts = shape;
    in_parts.schedule = "Static";  // else node 0's ranks may have done it all before the others come
    ASSERT_EQ(start(evaluation, in_parts)->wait(), 0) << evaluation.console();
    EXPECT_EQ(evaluation.published(), undisturbed(shape).published);
    EXPECT_EQ(evaluation.records(), static_cast<std::uint64_t>(shape.limit));
    int of_others = 0;
    const auto logs = list_files(evaluation.output() + "/runs", ".shard");
    ASSERT_TRUE(logs);
    for (const auto& name : *logs) {
        const bool received = name.find(".received-") != std::string::npos;
        EXPECT_EQ(received, name.find("/node-0/") == std::string::npos) << name;
        of_others += received ? 1 : 0;
    }
    EXPECT_GE(of_others, 1);
}

bool is_victim(const ProcessView& process) {
    if (process.is("evaljob-rank")) return true;
    return process.is("evaljob-runner") && process.argv.size() > 1 && process.argv[1] == "launch";
}

TEST(Node0Writes, GivesTheSameBytesWhenRanksAndLaunchersAreKilled) {
    undisturbed(shape);
    std::mt19937 random(1);
    for (int round = 0; round < 5; ++round) {
        Evaluation evaluation("node0");
        auto program = start(evaluation);
        const int kills = kill_some(evaluation, *program, {.first = 100, .every = 900, .most = 3}, random, is_victim);
        ASSERT_EQ(program->wait(), 0) << "round " << round << "\n" << evaluation.console();
        EXPECT_GE(kills, 1);
        EXPECT_EQ(evaluation.published(), undisturbed(shape).published) << "round " << round;
        EXPECT_TRUE(eventually([&] { return with_variable(Evaluation::marker, evaluation.marker_value()).empty(); }));
    }
}

TEST(Node0Writes, ResumesWhereItWasStopped) {
    const auto half = undisturbed(shape).shard_bytes / 2;
    Evaluation evaluation("node0");
    auto program = start(evaluation);
    ASSERT_TRUE(eventually([&] { return evaluation.shard_bytes() >= half || !program->running(); }));
    ASSERT_TRUE(program->running()) << "it was over before it could be stopped";
    program->signal(SIGINT);
    ASSERT_EQ(program->wait(), 130) << evaluation.console();
    ASSERT_EQ(start(evaluation)->wait(), 0) << evaluation.console();
    EXPECT_EQ(evaluation.published(), undisturbed(shape).published);
}

}  // namespace
}  // namespace evaljob::e2e
