// The coordinator, the shard log and the merge under every fault that a volume, a network and a machine have, from
// seeds; and killed at every single write. docs/simulation.md says what is simulated.
#include "tests/simulation/runner/simulation.hpp"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <iostream>
#include <map>
#include <mutex>

namespace evaljob::simulation {
namespace {

struct Undisturbed {
    std::string digest;
    std::string failure;
};

/// What a run without any fault comes to.
Undisturbed undisturbed(const Shape& shape) {
    static std::mutex mutex;
    static std::map<Shape, Undisturbed> known;
    const std::lock_guard lock(mutex);
    const auto it = known.find(shape);
    if (it != known.end()) return it->second;
    Plan plan;
    plan.shape = shape;
    Simulation simulation(plan);
    const SeedResult result = simulation.run();
    return known[shape] = {simulation.digest(), result.failure};
}

SeedResult run_seed(std::uint64_t seed, bool traced) {
    Plan plan = plan_of(seed);
    plan.traced = traced;
    const auto [digest, failure] = undisturbed(plan.shape);
    if (!failure.empty()) return {"without any fault: " + failure, {}};
    plan.digest = digest;
    Simulation simulation(plan);
    SeedResult result = simulation.run();
    if (traced && !result.failure.empty()) std::cout << simulation.trace();
    return result;
}

TEST(Seeds, EveryRunCompletesWithTheSameBytes) {
    spdlog::set_level(spdlog::level::off);
    const SeedRange range = seeds_to_run({1, 10'000});
    const Tally tally = run_seeds(range, [&](std::uint64_t seed) { return run_seed(seed, range.count == 1); });
    std::cout << table_of(tally);
    EXPECT_FALSE(tally.failed) << failure_of(tally, "test_simulation_runner", "Seeds.*");
}

struct KillAt {
    const char* name;
    Kill::Who who;
    Cut cut;
    bool power;
};

class EveryWrite : public testing::TestWithParam<KillAt> {};

TEST_P(EveryWrite, IsSurvived) {
    spdlog::set_level(spdlog::level::off);
    Plan plan;
    plan.shape = {6, 2};
    Simulation dry_run(plan);
    ASSERT_EQ(dry_run.run().failure, "");
    plan.digest = dry_run.digest();
    const std::uint64_t changes = dry_run.changes(GetParam().who);
    ASSERT_GT(changes, 5U) << "the walk must meet what it is for";
    for (unsigned at = 1; at <= changes; ++at) {
        plan.kill = Kill{GetParam().who, at, GetParam().cut, GetParam().power};
        plan.seed = at;
        Simulation simulation(plan);
        const SeedResult result = simulation.run();
        EXPECT_EQ(result.failure, "") << "at change " << at << " of " << changes;
        EXPECT_EQ(simulation.digest(), plan.digest);
    }
    std::cout << changes << " changes to the disk, killed at each\n";
}

std::vector<KillAt> kills() {
    std::vector<KillAt> all;
    for (const auto& [who, name] :
         {std::pair(Kill::Who::Rank, "Rank"), std::pair(Kill::Who::Coordinator, "Coordinator"),
          std::pair(Kill::Who::Merge, "Merge")}) {
        (void)name;
        for (const Cut cut : {Cut::Before, Cut::Half, Cut::After})
            for (const bool power : {false, true}) all.push_back({name, who, cut, power});
    }
    return all;
}

std::string name_of_kill(const testing::TestParamInfo<KillAt>& info) {
    const char* cut = info.param.cut == Cut::Before ? "Before" : info.param.cut == Cut::Half ? "Half" : "After";
    return std::string(info.param.name) + (info.param.power ? "LosesPower" : "IsKilled") + cut;
}

INSTANTIATE_TEST_SUITE_P(Simulation, EveryWrite, testing::ValuesIn(kills()), name_of_kill);

}  // namespace
}  // namespace evaljob::simulation
