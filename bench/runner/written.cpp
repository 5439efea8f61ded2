#include "bench/runner/written.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>
#include <boost/asio/io_context.hpp>

#include "bench/runner/counted_disk.hpp"
#include "bench/runner/table.hpp"
#include "bench/runner/timed_manifest.hpp"
#include "bench/runner/timed_rank.hpp"
#include "evaljob-runner/launch/coordinator_server.hpp"
#include "evaljob-runner/merge/merge.hpp"
#include "tests/simulation/balance/timed_job.hpp"
#include "tests/simulation/random.hpp"

namespace evaljob::bench {

namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_samples = 50'000;
constexpr std::size_t commits = 1'000;            // of a run whose model takes no time, or fewer
constexpr std::size_t samples_at_a_pace = 2'000;  // of a run whose model takes 1 ms a sample
constexpr int rounds = 3;

/// Samples that were computed, by all ranks that ever were.
std::atomic<std::uint64_t>& computed() {
    static auto* shared = [] {
        void* at = ::mmap(nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) throw std::runtime_error("mmap failed");
        return new (at) std::atomic<std::uint64_t>(0);
    }();
    return *shared;
}

struct OneRun {
    double seconds = 0;       // from the first lease to the last batch that was done
    std::uint64_t syncs = 0;  // of the run, without the merge
    std::uint64_t sync_us = 0;
    std::uint64_t run_bytes = 0;
    std::uint64_t merge_bytes = 0;
    std::uint64_t result_bytes = 0;  // of results.jsonl
    std::uint64_t computed = 0;
};

class Written {
public:
    Written(std::size_t samples, std::size_t batch_size, double ms)
        : ms_(ms),
          manifest_(manifest_of(simulation::timed_job(simulation::Costs::Equal, simulation::Sizes::TellAll, 1, samples,
                                                      batch_size, 1, 1))),
          folder_(fs::absolute("evaljob-bench-" + std::to_string(::getpid())).string()),
          contract_(contract_of(0, 1, free_port(), folder_)) {
        fs::create_directories(folder_);
    }
    ~Written() { fs::remove_all(folder_); }

    /// With `kill_at`, the rank is killed after so many samples, and started again.
    OneRun run(std::uint64_t kill_at = 0) {
        DiskCounts& counts = disk_counts();
        counts.bytes = counts.syncs = counts.sync_us = 0;
        computed() = 0;
        OneRun run;
        run.seconds = evaluate(kill_at);
        run.syncs = counts.syncs;
        run.sync_us = counts.sync_us;
        run.run_bytes = counts.bytes;
        run.computed = computed();
        const MergeOutcome merged = run_merge({folder_, "bench", false, 0, {}});
        if (merged.exit_code != 0) throw std::runtime_error("the merge failed: " + merged.report.error);
        run.merge_bytes = counts.bytes - run.run_bytes;
        for (const auto& entry : fs::recursive_directory_iterator(folder_ + "/results"))
            if (entry.path().filename() == "results.jsonl") run.result_bytes = entry.file_size();
        return run;
    }

private:
    double evaluate(std::uint64_t kill_at) {
        asio::io_context io{1};
        CoordinatorOptions options;
        options.token = "token";
        options.expected = {"bench", 1, 1, "cpu"};
        std::string failed;
        bool over = false;
        auto server =
            must(CoordinatorServer::start(io, manifest_, contract_, options, "127.0.0.1",
                                          {[&](int, const std::string& why) { failed = why; }, [&] { over = true; }}));
        pid_t rank = start_rank(0);
        while (!over && failed.empty()) {
            io.run_for(std::chrono::microseconds(200));
            if (kill_at == 0 || computed() < kill_at) continue;
            kill_at = 0;
            ::kill(rank, SIGKILL);
            ::waitpid(rank, nullptr, 0);
            rank = start_rank(1);
        }
        const double seconds = server->progress().balance.makespan_ms / 1'000;
        ::kill(rank, SIGKILL);
        ::waitpid(rank, nullptr, 0);
        if (!failed.empty()) throw std::runtime_error(failed);
        return seconds;
    }

    pid_t start_rank(int restart) {
        const pid_t pid = ::fork();
        if (pid < 0) throw std::runtime_error("fork failed");
        if (pid > 0) return pid;
        try {
            std::_Exit(work_as_rank(
                contract_, manifest_, [this](std::uint64_t batch) { compute(batch); }, restart));
        } catch (const std::exception& error) {
            std::fprintf(stderr, "a rank: %s\n", error.what());
            std::_Exit(1);
        }
    }

    void compute(std::uint64_t batch) const {
        for (std::size_t i = 0; i < manifest_.batches[batch].items.size(); ++i) {
            if (ms_ > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(ms_));
            ++computed();
        }
    }

    double ms_;
    Manifest manifest_;
    std::string folder_;
    RankContract contract_;
};

template <class Figure>
std::string of(const std::vector<OneRun>& runs, int places, const Figure& figure) {
    std::vector<double> values;
    for (const OneRun& run : runs) values.push_back(figure(run));
    return spread_of(values, places);
}

double share(std::uint64_t a, std::uint64_t b) { return static_cast<double>(a) / static_cast<double>(b); }

std::string row(std::size_t batch_size, int kills) {
    const std::size_t samples = std::min(most_samples, commits * batch_size);
    const auto batches = (samples + batch_size - 1) / batch_size;
    std::vector<OneRun> at_once;
    std::vector<OneRun> paced;
    for (int i = 0; i < rounds; ++i) {
        at_once.push_back(Written(samples, batch_size, 0).run());
        paced.push_back(Written(samples_at_a_pace, batch_size, 1).run());
    }
    std::vector<double> again;
    simulation::Random random(batch_size);
    for (int i = 0; i < kills; ++i) {
        const auto moment = samples_at_a_pace * static_cast<std::uint64_t>(random.between(5, 95)) / 100;
        again.push_back(static_cast<double>(Written(samples_at_a_pace, batch_size, 1).run(moment).computed) -
                        static_cast<double>(samples_at_a_pace));
    }
    const auto bytes = [](const OneRun& r) { return share(r.run_bytes, r.result_bytes); };
    const auto all_bytes = [](const OneRun& r) { return share(r.run_bytes + r.merge_bytes, r.result_bytes); };
    const auto syncs = [&](const OneRun& r) { return share(r.syncs, batches); };
    const auto sync_ms = [](const OneRun& r) { return share(r.sync_us, r.syncs) / 1e3; };
    const auto rate = [&](const OneRun& r) { return static_cast<double>(samples) / r.seconds; };
    const auto syncs_a_second = [](const OneRun& r) { return static_cast<double>(r.syncs) / r.seconds; };
    return "| " + std::to_string(batch_size) + " | " + of(at_once, 2, bytes) + " | " + of(at_once, 2, all_bytes) +
           " | " + of(at_once, 2, syncs) + " | " + of(at_once, 2, sync_ms) + " ms | " + of(at_once, 0, rate) + " | " +
           of(paced, 1, syncs_a_second) + " | " + spread_of(again, 0) + " |\n";
}

}  // namespace

std::string written(int kills) {
    spdlog::set_level(spdlog::level::err);
    std::string out =
        "| samples a batch | bytes written by the run, per byte of results.jsonl | with "
        "the "
        "merge's | fsyncs a batch | an fsync, mean | samples a second of a rank whose model takes no time | fsyncs a "
        "second of a rank whose model takes 1 ms a sample | samples computed again when that rank is killed, of " +
        with_commas(samples_at_a_pace) + " |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n";
    for (const std::size_t batch_size : {1U, 4U, 16U, 64U, 256U}) {
        out += row(batch_size, kills);
        std::fprintf(stderr, "batches of %zu: done\n", batch_size);
    }
    return out;
}

}  // namespace evaljob::bench
