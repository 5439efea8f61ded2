// The seeds of a simulation: which ones are run, beside each other, and what became of them. Every simulation's program
// runs its seeds through here, so that `./dev simulate`, `./dev broken` and a person repeat them in one way.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace evaljob::simulation {

/// What one seed came to.
struct SeedResult {
    std::string failure;                          // empty: it survived
    std::map<std::string, std::uint64_t> faults;  // how often each happened
};

struct SeedRange {
    std::uint64_t first = 1;
    std::uint64_t count = 0;
};

/// EVALJOB_SEEDS="FIRST:COUNT", or `ordinary` when it is not set. Throws std::invalid_argument when it does not read.
SeedRange seeds_to_run(SeedRange ordinary);

struct Tally {
    struct Row {
        std::uint64_t seeds = 0;  // in which the fault happened
        std::uint64_t times = 0;
    };
    std::uint64_t survived = 0;
    std::map<std::string, Row> faults;
    std::optional<std::uint64_t> failed;  // the lowest seed that did
    std::string failure;
};

/// Runs them on all cores, each seed on one thread, and stops at the first that fails.
Tally run_seeds(SeedRange range, const std::function<SeedResult(std::uint64_t seed)>& run);

/// The table of faults, tried and survived.
std::string table_of(const Tally& tally);

/// "seed 17: message", and the command that repeats it. `program` is its file name, `filter` the test's name.
std::string failure_of(const Tally& tally, const std::string& program, const std::string& filter);

}  // namespace evaljob::simulation
