#include "tests/simulation/seeds.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace evaljob::simulation {

SeedRange seeds_to_run(SeedRange ordinary) {
    const char* text = std::getenv("EVALJOB_SEEDS");
    if (text == nullptr) return ordinary;
    SeedRange range;
    char behind = 0;
    unsigned long long first = 0;
    unsigned long long count = 0;
    if (std::sscanf(text, "%llu:%llu%c", &first, &count, &behind) != 2 || count == 0)
        throw std::invalid_argument(std::string("EVALJOB_SEEDS must be FIRST:COUNT, is ") + text);
    range.first = first;
    range.count = count;
    return range;
}

namespace {

thread_local std::uint64_t seed_here = 0;

/// The thread that met an assertion of the product has said which; whoever runs the seeds wants to know the seed.
void name_seed(int /*signal*/) {
    char line[64];
    const int size = std::snprintf(line, sizeof line, "seed %llu: an assertion of the product is false\n",
                                   static_cast<unsigned long long>(seed_here));
    const auto written = ::write(STDOUT_FILENO, line, static_cast<std::size_t>(size));
    ::_exit(written > 0 ? 134 : 135);
}

void add(Tally& tally, std::uint64_t seed, const SeedResult& result) {
    for (const auto& [fault, times] : result.faults) {
        ++tally.faults[fault].seeds;
        tally.faults[fault].times += times;
    }
    if (result.failure.empty()) {
        ++tally.survived;
    } else if (!tally.failed || seed < *tally.failed) {
        tally.failed = seed;
        tally.failure = result.failure;
    }
}

}  // namespace

Tally run_seeds(SeedRange range, const std::function<SeedResult(std::uint64_t seed)>& run) {
    Tally tally;
    std::signal(SIGABRT, name_seed);
    std::mutex mutex;
    // Seeds are taken in order, so the lowest that fails is found whatever the number of threads.
    std::atomic<std::uint64_t> next = range.first;
    std::atomic<bool> stop = false;
    const auto work = [&] {
        while (!stop) {
            const std::uint64_t seed = next++;
            if (seed - range.first >= range.count) return;
            seed_here = seed;
            const SeedResult result = run(seed);
            if (!result.failure.empty()) stop = true;
            const std::lock_guard lock(mutex);
            add(tally, seed, result);
        }
    };
    std::vector<std::thread> threads;
    const auto cores = std::max<std::uint64_t>(1, std::thread::hardware_concurrency());
    for (std::uint64_t i = 1; i < std::min(cores, range.count); ++i) threads.emplace_back(work);
    work();
    for (auto& thread : threads) thread.join();
    return tally;
}

std::string table_of(const Tally& tally) {
    std::string table;
    char line[160];
    std::snprintf(line, sizeof line, "%-66s %10s %12s\n", "fault", "in seeds", "times");
    table += line;
    for (const auto& [fault, row] : tally.faults) {
        std::snprintf(line, sizeof line, "%-66s %10llu %12llu\n", fault.c_str(),
                      static_cast<unsigned long long>(row.seeds), static_cast<unsigned long long>(row.times));
        table += line;
    }
    std::snprintf(line, sizeof line, "%-66s %10llu\n",
                  tally.failed ? "survived, before one failed" : "survived, none failed",
                  static_cast<unsigned long long>(tally.survived));
    return table + line;
}

std::string failure_of(const Tally& tally, const std::string& program, const std::string& filter) {
    if (!tally.failed) return "";
    const std::string seed = std::to_string(*tally.failed);
    return "seed " + seed + ": " + tally.failure +
           "\nrepeat it, with a trace of what happened:\n  EVALJOB_SEEDS=" + seed + ":1 build/release/bin/" + program +
           " --gtest_filter=" + filter + "\n";
}

}  // namespace evaljob::simulation
