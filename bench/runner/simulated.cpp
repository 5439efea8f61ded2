#include "bench/runner/simulated.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/runner/table.hpp"
#include "tests/simulation/balance/virtual_run.hpp"

namespace evaljob::bench {

using namespace simulation;

namespace {

constexpr std::size_t samples_per_rank = 125;
constexpr double mean_cost = 1'000;

std::string ratio(const MakespanCase& row, Sizes sizes, std::size_t ranks, Schedule schedule, int seeds) {
    std::vector<double> ratios;
    for (int seed = 1; seed <= seeds; ++seed) {
        const TimedJob job =
            timed_job(row, sizes, ranks, ranks * samples_per_rank, mean_cost, static_cast<std::uint64_t>(seed));
        const VirtualRun run = run_virtually(job, schedule);
        if (!run.violated.empty()) return run.violated;
        ratios.push_back(run.makespan / bound_of(job));
    }
    return spread_of(ratios, 3);
}

}  // namespace

std::string simulated_makespans(std::size_t most_ranks) {
    std::string out =
        "| costs | ranks | seeds | Dynamic, sizes tell the costs | roughly | nothing | Static |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n";
    for (const MakespanCase& row : makespan_cases()) {
        for (std::size_t ranks = 8; ranks <= most_ranks; ranks *= 8) {
            const int seeds = ranks <= 64 ? 9 : ranks <= 512 ? 5 : 1;
            out += "| " + std::string(row.name) + " | " + with_commas(ranks) + " | " + std::to_string(seeds);
            for (const Sizes sizes : {Sizes::TellAll, Sizes::TellRoughly, Sizes::TellNothing})
                out += " | " + ratio(row, sizes, ranks, Schedule::Dynamic, seeds);
            out += " | " + ratio(row, Sizes::TellAll, ranks, Schedule::Static, seeds) + " |\n";
            std::fprintf(stderr, ".");
        }
    }
    std::fprintf(stderr, "\n");
    return out;
}

}  // namespace evaljob::bench
