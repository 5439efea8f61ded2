#include "bench/runner/measured.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bench/runner/table.hpp"
#include "bench/runner/timed_manifest.hpp"
#include "bench/runner/timed_rank.hpp"
#include "evaljob-runner/launch/coordinator_server.hpp"
#include "tests/simulation/balance/timed_job.hpp"

namespace evaljob::bench {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace simulation;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t ranks = 8;
constexpr std::size_t samples = 1'000;

struct Measured {
    double ratio = 0;
    std::uint64_t leases_twice = 0;
    double own_bound = 0;  // makespan over the bound that the coordinator works out from what it saw
};

std::vector<pid_t> start_ranks(std::size_t row, int seed, double mean_cost, std::uint16_t port,
                               const std::string& folder) {
    std::vector<pid_t> pids;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
        const pid_t pid = ::fork();
        if (pid < 0) throw std::runtime_error("fork failed");
        if (pid == 0) {
            const std::vector<std::string> arguments{"bench_runner",       "rank",
                                                     std::to_string(rank), std::to_string(row),
                                                     std::to_string(seed), std::to_string(mean_cost),
                                                     std::to_string(port), folder};
            std::vector<char*> argv;
            for (const auto& one : arguments) argv.push_back(const_cast<char*>(one.c_str()));
            argv.push_back(nullptr);
            ::execv("/proc/self/exe", argv.data());
            std::_Exit(127);
        }
        pids.push_back(pid);
    }
    return pids;
}

Measured measure(std::size_t row, Sizes sizes, Schedule schedule, int seed, double mean_cost) {
    const TimedJob job =
        timed_job(makespan_cases()[row], sizes, ranks, samples, mean_cost, static_cast<std::uint64_t>(seed));
    const std::string folder = fs::absolute("evaljob-bench-" + std::to_string(::getpid())).string();
    fs::create_directories(folder);
    const std::uint16_t port = free_port();
    asio::io_context io{1};
    CoordinatorOptions options;
    options.token = "token";
    options.schedule = schedule;
    options.expected = {"bench", static_cast<std::int32_t>(ranks), 1, "cpu"};
    std::string failed;
    auto server =
        must(CoordinatorServer::start(io, manifest_of(job), contract_of(0, ranks, port, folder), options, "127.0.0.1",
                                      {[&](int, const std::string& why) {
                                           failed = why;
                                           io.stop();
                                       },
                                       [&] { io.stop(); }}));
    const auto pids = start_ranks(row, seed, mean_cost, port, folder);
    asio::steady_timer timer(io);
    bool killed = false;
    auto begun = steady_clock::now();  // the first lease, to 5 ms
    std::function<void()> watch = [&] {
        timer.expires_after(std::chrono::milliseconds(5));
        timer.async_wait([&](const boost::system::error_code& error) {
            if (error) return;
            const auto& leaves = job.ranks.back().leaves;
            if (server->progress().leases == 0) begun = steady_clock::now();
            const std::chrono::duration<double, std::milli> since = steady_clock::now() - begun;
            if (leaves && since.count() >= *leaves && !std::exchange(killed, true)) ::kill(pids.back(), SIGKILL);
            watch();
        });
    };
    watch();
    io.run();
    const auto progress = server->progress();
    for (const pid_t pid : pids) {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
    fs::remove_all(folder);
    if (!failed.empty()) throw std::runtime_error(failed);
    return {progress.balance.makespan_ms / bound_of(job), progress.leases_twice,
            progress.balance.makespan_ms / progress.balance.bound_ms};
}

}  // namespace

std::string measured_makespans(int rounds, double mean_cost) {
    spdlog::set_level(spdlog::level::warn);
    struct Column {
        Sizes sizes;
        Schedule schedule;
    };
    std::string out =
        "| costs | Dynamic, sizes tell the costs | batches run twice | the coordinator's own figure | sizes "
        "tell nothing | Static |\n| --- | --- | --- | --- | --- | --- |\n";
    for (std::size_t row = 0; row < makespan_cases().size(); ++row) {
        std::vector<std::vector<Measured>> columns(3);
        const std::vector<Column> kinds{{Sizes::TellAll, Schedule::Dynamic},
                                        {Sizes::TellNothing, Schedule::Dynamic},
                                        {Sizes::TellAll, Schedule::Static}};
        // Alternating, so that what the machine does meanwhile meets all of them.
        for (int round = 1; round <= rounds; ++round)
            for (std::size_t i = 0; i < kinds.size(); ++i)
                columns[i].push_back(measure(row, kinds[i].sizes, kinds[i].schedule, round, mean_cost));
        const auto of = [&](std::size_t column, auto figure, int places) {
            std::vector<double> values;
            for (const Measured& one : columns[column]) values.push_back(static_cast<double>(one.*figure));
            return spread_of(values, places);
        };
        out += "| " + std::string(makespan_cases()[row].name) + " | " + of(0, &Measured::ratio, 3) + " | " +
               of(0, &Measured::leases_twice, 0) + " | " + of(0, &Measured::own_bound, 3) + " | " +
               of(1, &Measured::ratio, 3) + " | " + of(2, &Measured::ratio, 3) + " |\n";
        std::fprintf(stderr, "measured: %s\n", makespan_cases()[row].name);
    }
    return out;
}

int run_timed_rank(const std::vector<std::string>& arguments) {
    const auto number = static_cast<std::size_t>(std::stoul(arguments.at(0)));
    const auto row = static_cast<std::size_t>(std::stoul(arguments.at(1)));
    // A batch's cost does not depend on what its size tells.
    const TimedJob job = timed_job(makespan_cases().at(row), Sizes::TellNothing, ranks, samples,
                                   std::stod(arguments.at(3)), std::stoull(arguments.at(2)));
    const Manifest manifest = manifest_of(job);
    const auto port = static_cast<std::uint16_t>(std::stoul(arguments.at(4)));
    return work_as_rank(contract_of(number, ranks, port, arguments.at(5)), manifest, [&](std::uint64_t batch) {
        const double ms = job.batches.at(batch).cost * job.ranks.at(number).slowness;
        std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(ms));
    });
}

}  // namespace evaljob::bench
