// The result does not depend on how many ranks there were, nor on the schedule, nor on when they were stopped.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/e2e/evaluation.hpp"

namespace evaljob::e2e {
namespace {

const Shape reference{.nodes = 4, .procs = 2};

class SameBytes : public testing::TestWithParam<Shape> {};

TEST_P(SameBytes, FromEveryNumberOfRanks) {
    Evaluation evaluation("shape");
    ASSERT_EQ(evaluation.start(GetParam())->wait(), 0) << evaluation.console();
    EXPECT_EQ(evaluation.published(), undisturbed(reference).published);
}

INSTANTIATE_TEST_SUITE_P(Shapes, SameBytes,
                         testing::Values(Shape{.nodes = 1, .procs = 1}, Shape{.nodes = 2, .procs = 2},
                                         Shape{.nodes = 4, .procs = 3}, Shape{.nodes = 1, .procs = 8},
                                         Shape{.nodes = 2, .procs = 3, .schedule = "Static"}),
                         [](const auto& row) {
                             return std::to_string(row.param.nodes) + "nodes" + std::to_string(row.param.procs) +
                                    "procs" + (row.param.schedule == "Static" ? "Static" : "");
                         });

TEST(SameBytesAfter, InterruptUnder4x2AndResumeUnder1x3WithAStride) {
    const auto half = undisturbed(reference).shard_bytes / 2;
    Evaluation evaluation("resume");
    auto program = evaluation.start(reference);
    ASSERT_TRUE(eventually([&] { return evaluation.shard_bytes() >= half || !program->running(); }));
    ASSERT_TRUE(program->running()) << "it was over before it could be stopped";
    program->signal(SIGINT);
    ASSERT_EQ(program->wait(), 130) << evaluation.console();
    EXPECT_TRUE(evaluation.published().empty()) << "a stopped run publishes nothing";
    EXPECT_NE(evaluation.console().find("the same command again goes on from there"), std::string::npos);
    EXPECT_TRUE(with_variable(Evaluation::marker, evaluation.marker_value()).empty());

    ASSERT_EQ(evaluation.start({.nodes = 1, .procs = 3, .schedule = "Static"})->wait(), 0) << evaluation.console();
    EXPECT_EQ(evaluation.published(), undisturbed(reference).published);
    // What was being computed was finished, what was only prepared was given back: nothing was evaluated twice.
    EXPECT_EQ(evaluation.records(), static_cast<std::uint64_t>(reference.limit));
}

TEST(SameBytesAfter, RunningTheFinishedEvaluationAgain) {
    Evaluation evaluation("again");
    ASSERT_EQ(evaluation.start(reference)->wait(), 0) << evaluation.console();
    const auto leased = evaluation.leases().leased;
    ASSERT_EQ(evaluation.start(reference)->wait(), 0) << evaluation.console();
    EXPECT_EQ(evaluation.published(), undisturbed(reference).published);
    EXPECT_EQ(evaluation.leases().leased, leased) << "a finished evaluation was evaluated again";
}

}  // namespace
}  // namespace evaljob::e2e
