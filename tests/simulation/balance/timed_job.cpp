#include "tests/simulation/balance/timed_job.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "tests/simulation/random.hpp"

namespace evaljob::simulation {

namespace {

constexpr double sigma = 1.5;
constexpr double rough_sigma = 0.5;  // of a size that tells the cost only roughly
constexpr double bytes_per_ms = 1'000;
constexpr std::size_t batch_size = 4;

/// Of the standard normal distribution, by Box and Muller: the same on every machine but for the last bits of log().
double normal(Random& random) {
    const double u = (static_cast<double>(random.next() >> 11U) + 1) * 0x1p-53;
    const double v = static_cast<double>(random.next() >> 11U) * 0x1p-53;
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

std::vector<double> sample_costs(Costs costs, std::size_t samples, double mean_cost, Random& random) {
    std::vector<double> all(samples, mean_cost);
    if (costs == Costs::Equal) return all;
    for (double& cost : all) cost = std::exp(sigma * normal(random));
    const double scale = mean_cost * static_cast<double>(samples) / std::accumulate(all.begin(), all.end(), 0.0);
    for (double& cost : all) cost *= scale;
    if (costs == Costs::Sorted) std::sort(all.begin(), all.end());
    return all;
}

double size_of(double cost, double mean_cost, Sizes sizes, Random& random) {
    if (sizes == Sizes::TellNothing) return mean_cost * bytes_per_ms;
    const double noise = sizes == Sizes::TellAll ? 1 : std::exp(rough_sigma * normal(random));
    return cost * noise * bytes_per_ms;
}

}  // namespace

TimedJob timed_job(Costs costs, Sizes sizes, std::size_t ranks, std::size_t samples, std::size_t of_batch,
                   double mean_cost, std::uint64_t seed) {
    Random random(seed);
    TimedJob job;
    job.ranks.resize(ranks);
    const auto all = sample_costs(costs, samples, mean_cost, random);
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (i % of_batch == 0) job.batches.emplace_back();
        TimedBatch& batch = job.batches.back();
        ++batch.samples;
        batch.cost += all[i];
        batch.bytes += static_cast<std::uint64_t>(std::llround(size_of(all[i], mean_cost, sizes, random)));
    }
    return job;
}

double bound_of(const TimedJob& job) {
    double work = 0;
    double longest = 0;
    for (const TimedBatch& batch : job.batches) {
        work += batch.cost;
        longest = std::max(longest, batch.cost);
    }
    double fastest = 0;
    std::vector<double> moments;
    for (const TimedRank& rank : job.ranks) {
        fastest = std::max(fastest, 1 / rank.slowness);
        moments.push_back(rank.joins);
        if (rank.leaves) moments.push_back(*rank.leaves);
    }
    std::sort(moments.begin(), moments.end());
    // From moment to moment the capacity is constant.
    double now = 0;
    for (std::size_t i = 0; i <= moments.size(); ++i) {
        double capacity = 0;
        for (const TimedRank& rank : job.ranks)
            if (rank.joins <= now && (!rank.leaves || *rank.leaves > now)) capacity += 1 / rank.slowness;
        const bool last = i == moments.size();
        if (capacity > 0 && (last || work <= capacity * (moments[i] - now))) {
            now += work / capacity;
            break;
        }
        if (last) break;  // nobody is there any more
        work -= capacity * (moments[i] - now);
        now = moments[i];
    }
    return std::max(now, longest / fastest);
}

const std::vector<MakespanCase>& makespan_cases() {
    static const std::vector<MakespanCase> rows{
        {"equal costs", Costs::Equal, 1, false},
        {"heavy-tailed costs", Costs::HeavyTailed, 1, false},
        {"sorted costs", Costs::Sorted, 1, false},
        {"one rank 3 times slower", Costs::HeavyTailed, 3, false},
        {"one rank lost half-way", Costs::HeavyTailed, 1, true},
    };
    return rows;
}

TimedJob timed_job(const MakespanCase& row, Sizes sizes, std::size_t ranks, std::size_t samples, double mean_cost,
                   std::uint64_t seed) {
    TimedJob job = timed_job(row.costs, sizes, ranks, samples, batch_size, mean_cost, seed);
    job.ranks.back().slowness = row.slow;
    if (row.lost) job.ranks.back().leaves = bound_of(job) / 2;
    return job;
}

}  // namespace evaljob::simulation
