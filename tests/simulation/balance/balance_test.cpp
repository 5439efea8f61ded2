// Makespans against what no schedule can beat, under the real coordinator in virtual time: fixed cases with their
// limits, and random jobs with invariants. docs/simulation.md says more.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "tests/simulation/balance/virtual_run.hpp"
#include "tests/simulation/random.hpp"
#include "tests/simulation/seeds.hpp"

namespace evaljob::simulation {
namespace {

struct RandomJob {
    TimedJob job;
    Schedule schedule = Schedule::Dynamic;
    bool all_stay = true;
};

RandomJob random_job(std::uint64_t seed, SeedResult& result) {
    Random random(seed);
    const auto ranks = static_cast<std::size_t>(random.between(1, 16));
    const auto samples = static_cast<std::size_t>(random.between(1, 400));
    const auto batch_size = static_cast<std::size_t>(random.between(1, 8));
    RandomJob made;
    made.job = timed_job(static_cast<Costs>(random.below(3)), static_cast<Sizes>(random.below(3)), ranks, samples,
                         batch_size, static_cast<double>(random.between(1, 3'000)), seed);
    made.schedule = random.chance(0.25) ? Schedule::Static : Schedule::Dynamic;
    const double about = bound_of(made.job);
    const auto some_time = [&] { return about * static_cast<double>(random.below(1'000)) / 1'000; };
    for (std::size_t i = 0; i < ranks; ++i) {
        TimedRank& rank = made.job.ranks[i];
        if (random.chance(0.2)) rank.slowness = static_cast<double>(random.between(3, 50)) / 10;
        if (i == 0) continue;  // one stays from beginning to end
        if (random.chance(0.1)) rank.joins = some_time();
        if (random.chance(0.1)) rank.leaves = rank.joins + some_time();
        made.all_stay = made.all_stay && !rank.leaves;
        result.faults["a rank joins late"] += rank.joins > 0 ? 1 : 0;
        result.faults["a rank is lost"] += rank.leaves ? 1 : 0;
        result.faults["a rank is slower"] += rank.slowness > 1 ? 1 : 0;
    }
    return made;
}

std::string fault_in(const RandomJob& made, const VirtualRun& run) {
    if (!run.violated.empty()) return run.violated;
    if (run.most_at_once > 2) return "a batch had three leases at once";
    const bool is_static = made.schedule == Schedule::Static;
    if (is_static && run.most_at_once > 1) return "a fixed stride leased a batch to two at once";
    if (run.done_again > run.progress.leases_twice) return "more batches were done again than were leased twice";
    const double bound = bound_of(made.job);
    if (run.makespan < bound * 0.999 - 1) return "it ended before it could";
    if (is_static || !made.all_stay) return "";
    // Whoever is free takes what there is: at worst, everyone waits for a slow rank's longest batch and one prepared.
    double longest = 0;
    double slowest = 1;
    double last = 0;
    for (const TimedBatch& batch : made.job.batches) longest = std::max(longest, batch.cost);
    for (const TimedRank& rank : made.job.ranks) slowest = std::max(slowest, rank.slowness);
    for (const TimedRank& rank : made.job.ranks) last = std::max(last, rank.joins);
    if (run.makespan > bound + 2 * longest * slowest + 1'000)
        return "it took " + std::to_string(run.makespan) + " ms, although " + std::to_string(bound) + " could do";
    return "";
}

TEST(Seeds, EveryBatchIsDoneAndNeverLeasedToThree) {
    const SeedRange range = seeds_to_run({1, 10'000});
    const Tally tally = run_seeds(range, [&](std::uint64_t seed) {
        SeedResult result;
        const RandomJob made = random_job(seed, result);
        const VirtualRun run = run_virtually(made.job, made.schedule);
        result.failure = fault_in(made, run);
        result.faults["(batches leased to two at once)"] += run.progress.leases_twice;
        result.faults["(batches done twice)"] += run.done_again;
        std::erase_if(result.faults, [](const auto& row) { return row.second == 0; });
        return result;
    });
    std::cout << table_of(tally);
    EXPECT_FALSE(tally.failed) << failure_of(tally, "test_simulation_balance", "Seeds.*");
}

struct Limit {
    std::size_t row;  // of makespan_cases()
    double most;      // the median of nine seeds
};

class Makespan : public testing::TestWithParam<std::tuple<Limit, std::size_t>> {};

TEST_P(Makespan, IsCloseToItsBound) {
    const auto& [limit, ranks] = GetParam();
    const MakespanCase& row = makespan_cases()[limit.row];
    std::vector<double> ratios;
    for (std::uint64_t seed = 1; seed <= 9; ++seed) {
        const TimedJob job = timed_job(row, Sizes::TellAll, ranks, 125 * ranks, 1'000, seed);
        const VirtualRun run = run_virtually(job, Schedule::Dynamic);
        ASSERT_EQ(run.violated, "");
        ratios.push_back(run.makespan / bound_of(job));
        // What the run says of itself is true.
        EXPECT_NEAR(run.progress.balance.makespan_ms / run.makespan, 1, 0.001);
        EXPECT_NEAR(run.progress.balance.bound_ms / bound_of(job), 1, 0.05);  // speeds are learned
    }
    std::nth_element(ratios.begin(), ratios.begin() + 4, ratios.end());
    EXPECT_LE(ratios[4], limit.most) << row.name;
}

std::string name_of_makespan(const testing::TestParamInfo<std::tuple<Limit, std::size_t>>& info) {
    static constexpr const char* names[]{"EqualCosts", "HeavyTailed", "Sorted", "SlowRank", "LostRank"};
    const auto& [limit, ranks] = info.param;
    return names[limit.row] + std::to_string(ranks) + "Ranks";
}

// Equal costs: 250 batches for 8 ranks are 32 rounds, 1.024 times 31.25, whatever one does.
INSTANTIATE_TEST_SUITE_P(Cases, Makespan,
                         testing::Combine(testing::Values(Limit{0, 1.0241}, Limit{1, 1.02}, Limit{2, 1.02},
                                                          Limit{3, 1.02}, Limit{4, 1.02}),
                                          testing::Values(std::size_t{8}, std::size_t{64})),
                         name_of_makespan);

}  // namespace
}  // namespace evaljob::simulation
