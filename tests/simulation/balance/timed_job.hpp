// Jobs whose batches take a known time on ranks of known speed: for the simulation in virtual time, and for the
// benchmark that sleeps for as long.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace evaljob::simulation {

enum class Costs { Equal, HeavyTailed, Sorted };
/// What the size of a sample's input tells of its cost.
enum class Sizes { TellAll, TellRoughly, TellNothing };

struct TimedRank {
    double slowness = 1;           // how many times the time of an ordinary rank
    double joins = 0;              // ms after the start
    std::optional<double> leaves;  // ms after the start: killed, and not started again
};

struct TimedBatch {
    std::uint32_t samples = 0;
    std::uint64_t bytes = 0;
    double cost = 0;  // ms on an ordinary rank
};

struct TimedJob {
    std::vector<TimedBatch> batches;
    std::vector<TimedRank> ranks;
};

/// Samples that take `mean_cost` ms in the mean; a batch is of `batch_size` consecutive ones, the last one may be
/// smaller. HeavyTailed: log-normal, σ = 1.5. Sorted: the same, the shortest first.
TimedJob timed_job(Costs costs, Sizes sizes, std::size_t ranks, std::size_t samples, std::size_t batch_size,
                   double mean_cost, std::uint64_t seed);

/// No schedule can end sooner: all work spread over whoever is there, by speed, or the longest batch on the fastest
/// rank.
double bound_of(const TimedJob& job);

/// The rows of every table of makespans.
struct MakespanCase {
    const char* name;
    Costs costs;
    double slow;  // of the last rank; 1: as fast as the others
    bool lost;    // the last rank, half-way
};
const std::vector<MakespanCase>& makespan_cases();
TimedJob timed_job(const MakespanCase& row, Sizes sizes, std::size_t ranks, std::size_t samples, double mean_cost,
                   std::uint64_t seed);

}  // namespace evaljob::simulation
