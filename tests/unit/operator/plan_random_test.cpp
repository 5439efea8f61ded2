// Many random lives: whatever happens to the Pods, every plan keeps the rules that World checks, and once nothing
// happens any more the job comes to an end that does not change.
#include <gtest/gtest.h>

#include <random>

#include "api/merge_report.hpp"
#include "builders.hpp"
#include "operator/plan/status.hpp"
#include "world.hpp"

namespace evaljob::testing {
namespace {

void misfortune(World& world, std::mt19937& random) {
    const auto nodes = world.observed.job.spec.num_nodes;
    const auto node = static_cast<std::int32_t>(random() % static_cast<unsigned>(nodes));
    const bool has_pod = std::any_of(world.observed.pods.begin(), world.observed.pods.end(),
                                     [&](const PodView& pod) { return !pod.merge && pod.node == node; });
    switch (random() % 10) {
        case 0:
        case 1:
        case 2:
            world.run_pods();
            break;
        case 3:
            if (has_pod) world.exit(node, 1);
            break;
        case 4:
        case 5:
            if (has_pod) world.exit(node, 0);
            break;
        case 6:
            if (has_pod) world.begin_deletion(node);
            break;
        case 7:
            if (has_pod) world.vanish(node);
            break;
        case 8:
            world.finish_deletions();
            break;
        default:
            break;
    }
}

/// What a healthy world does: deletions end, Pods run and succeed, the merge proves.
void recover(World& world) {
    MergeReport report;
    report.published = true;
    report.identity = test::frozen_identity();
    report.samples = 100;
    for (int i = 0; i < 60 && !is_terminal(world.observed.job.status); ++i) {
        world.pass(20);
        world.finish_deletions();
        world.run_pods();
        world.step();
        for (PodView& pod : world.observed.pods)
            if (!pod.merge && pod.phase == "Running" && !pod.deleting)
                pod = PodBuilder(world.observed.job, pod.node, pod.attempt).exited(0).build();
        const bool merging = world.observed.merge_job && !world.observed.merge_job->complete;
        if (merging) world.finish_merge(encode_merge_report(report));
    }
}

class RandomLives : public ::testing::TestWithParam<RestartScope> {};

TEST_P(RandomLives, KeepTheRulesAndEnd) {
    for (unsigned seed = 0; seed < 500 && !::testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        JobBuilder job;
        job.nodes(1 + static_cast<std::int32_t>(random() % 4)).max_restarts(static_cast<std::int32_t>(random() % 5));
        if (GetParam() == RestartScope::Group) job.group();
        if (random() % 2) job.custom_image();
        World world(job.build());
        for (int i = 0; i < 40; ++i) {
            misfortune(world, random);
            world.step();
            world.pass(1);
        }
        recover(world);
        EXPECT_TRUE(is_terminal(world.observed.job.status)) << world.observed.job.status.summary.status;
        world.finish_deletions();
        world.settle();
        for (const PodView& pod : world.observed.pods)
            EXPECT_TRUE(pod.merge || pod.phase != "Running" || pod.deleting) << pod.name << " outlives its job";
    }
}

INSTANTIATE_TEST_SUITE_P(Plan, RandomLives, ::testing::Values(RestartScope::Node, RestartScope::Group),
                         [](const auto& row) { return row.param == RestartScope::Node ? "Node" : "Group"; });

}  // namespace
}  // namespace evaljob::testing
