// The operator's whole life of a job under every fault that a cluster and an API server have, from seeds.
// docs/simulation.md says what is simulated.
#include "tests/simulation/operator/simulation.hpp"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <iostream>

namespace evaljob::simulation {
namespace {

TEST(Undisturbed, EveryKindOfJobSucceeds) {
    spdlog::set_level(spdlog::level::off);
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        const SeedResult result = Simulation(seed, true).run();
        EXPECT_EQ(result.failure, "") << "seed " << seed;
        EXPECT_TRUE(result.faults.empty());
    }
}

TEST(Seeds, EveryLifeComesToItsRightEnd) {
    spdlog::set_level(spdlog::level::off);
    const SeedRange range = seeds_to_run({1, 10'000});
    const Tally tally =
        run_seeds(range, [&](std::uint64_t seed) { return Simulation(seed, false, range.count == 1).run(); });
    std::cout << table_of(tally);
    EXPECT_FALSE(tally.failed) << failure_of(tally, "test_simulation_operator", "Seeds.*");
}

}  // namespace
}  // namespace evaljob::simulation
