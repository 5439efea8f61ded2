// The runner's balance, as tables in Markdown:
//   bench_runner simulate [RANKS]        makespans in virtual time, for 8 to RANKS (4,096) ranks
//   bench_runner measure [ROUNDS] [MS]   makespans of real rank processes that sleep MS (80) a sample in the mean
//   bench_runner leases                  batches a second that the coordinator leases
//   bench_runner makespan                all of these
//   bench_runner bytes [KILLS]           bytes written, fsyncs, and what a crash costs (10 of them), by batch size
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "bench/runner/leasing.hpp"
#include "bench/runner/measured.hpp"
#include "bench/runner/simulated.hpp"
#include "bench/runner/written.hpp"

namespace evaljob::bench {
namespace {

int run(const std::vector<std::string>& arguments) {
    const std::string what = arguments.empty() ? "makespan" : arguments[0];
    const auto number = [&](std::size_t at, unsigned long otherwise) {
        return what != "makespan" && arguments.size() > at ? std::stoul(arguments[at]) : otherwise;
    };
    if (what == "rank") return run_timed_rank({arguments.begin() + 1, arguments.end()});
    const bool all = what == "makespan";
    if (!all && what != "simulate" && what != "measure" && what != "leases" && what != "bytes") {
        std::fprintf(stderr,
                     "bench_runner [makespan | simulate [RANKS] | measure [ROUNDS] [MS] | leases | bytes [KILLS]]\n");
        return 2;
    }
    if (all || what == "measure")
        std::printf("## Measured\n\n%s\n",
                    measured_makespans(static_cast<int>(number(1, 3)), static_cast<double>(number(2, 80))).c_str());
    if (all || what == "leases") std::printf("## Leases\n\n%s\n", leasing().c_str());
    if (what == "bytes") std::printf("## Bytes\n\n%s\n", written(static_cast<int>(number(1, 10))).c_str());
    if (all || what == "simulate") std::printf("## Simulated\n\n%s\n", simulated_makespans(number(1, 4'096)).c_str());
    return 0;
}

}  // namespace
}  // namespace evaljob::bench

int main(int argc, char** argv) {
    try {
        return evaljob::bench::run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
