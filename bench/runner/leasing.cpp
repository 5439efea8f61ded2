#include "bench/runner/leasing.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bench/runner/table.hpp"
#include "bench/runner/timed_manifest.hpp"
#include "evaljob-runner/launch/coordinator_server.hpp"
#include "evaljob-runner/wire/frame_stream.hpp"
#include "tests/simulation/random.hpp"

namespace evaljob::bench {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using std::chrono::duration;
using std::chrono::steady_clock;

namespace {

constexpr auto warm_up = std::chrono::seconds(3);
constexpr auto measured_for = std::chrono::seconds(6);

Hello hello_of(std::size_t rank, std::size_t ranks) {
    Hello hello;
    hello.token = "token";
    hello.contract.run_id = "bench";
    hello.contract.rank = hello.contract.node_rank = static_cast<std::int32_t>(rank);
    hello.contract.world_size = hello.contract.num_nodes = static_cast<std::int32_t>(ranks);
    hello.contract.master_port = 29500;
    hello.device = {"cpu", 0, {}};
    hello.host = "node-" + std::to_string(rank);
    return hello;
}

CoordinatorOptions options_of(std::size_t ranks) {
    CoordinatorOptions options;
    options.token = "token";
    options.expected = {"bench", static_cast<std::int32_t>(ranks), 1, "cpu"};
    return options;
}

/// The decisions alone, without sockets: microseconds a lease.
double pure_us(std::size_t ranks, std::size_t batches, bool one_size) {
    simulation::Random random(1);
    std::vector<BatchState> states;
    for (std::size_t i = 0; i < batches; ++i)
        states.push_back({4, false, 0, one_size ? 1'000 : 1 + random.below(10'000'000)});
    Coordinator coordinator(options_of(ranks), states);
    Milliseconds now = 1'000;
    std::deque<std::pair<SessionId, Lease>> held;
    const auto take = [&](const Effects& effects) {
        for (const Effect& effect : effects)
            if (const auto* send = std::get_if<Send>(&effect))
                if (const auto* lease = std::get_if<Lease>(&send->message)) held.emplace_back(send->session, *lease);
    };
    take(coordinator.tick(now));
    for (std::size_t rank = 0; rank < ranks; ++rank) {
        take(coordinator.message(rank + 1, hello_of(rank, ranks), now));
        take(coordinator.message(rank + 1, Want{2}, now));
    }
    const auto begun = steady_clock::now();
    for (std::size_t done = 0; done < batches; ++done) {
        const auto [session, lease] = held.front();
        held.pop_front();
        if (done % ranks == 0) take(coordinator.tick(now += 1'000));  // a batch of 1 s
        const auto us = 900'000 + static_cast<std::int64_t>(states[lease.batch].bytes);
        take(coordinator.message(session, Done{lease.number, lease.batch, 4, 0, us}, now));
    }
    return duration<double, std::micro>(steady_clock::now() - begun).count() / static_cast<double>(batches);
}

struct Served {
    double leases_per_second = 0;
    double idle_share = 0;  // of the ranks' time
    double p50_ms = 0;      // from a Done to the next lease
    double p99_ms = 0;
    double cpu_us = 0;  // of the coordinator's process, a lease
};

/// The ranks' side: all of them on one thread of a process of its own.
class Ranks {
public:
    Ranks(std::size_t ranks, double batch_ms, std::uint16_t port)
        : ranks_(ranks), batch_ms_(batch_ms), port_(port), idle_since_(ranks) {}

    Served run() {
        for (std::size_t rank = 0; rank < ranks_; ++rank) asio::co_spawn(io_, live(rank), asio::detached);
        begun_ = steady_clock::now() + warm_up + std::chrono::milliseconds(ranks_ / 4);
        ends_ = begun_ + measured_for;
        io_.run_until(ends_);
        for (const auto& since : idle_since_)  // those that wait still
            if (since) idle_s_ += duration<double>(ends_ - std::min(ends_, std::max(begun_, *since))).count();
        Served served;
        const double seconds = duration<double>(measured_for).count();
        served.leases_per_second = static_cast<double>(waits_.size()) / seconds;
        served.idle_share = idle_s_ / (seconds * static_cast<double>(ranks_));
        std::sort(waits_.begin(), waits_.end());
        if (!waits_.empty()) {
            served.p50_ms = waits_[waits_.size() / 2];
            served.p99_ms = waits_[waits_.size() * 99 / 100];
        }
        return served;
    }

private:
    struct Rank {
        std::shared_ptr<FrameStream> stream;
        std::unique_ptr<asio::steady_timer> timer;
        std::deque<Lease> queue;
        std::size_t number = 0;
        bool computing = false;
        std::deque<steady_clock::time_point> asked;
    };

    asio::awaitable<void> live(std::size_t number) {
        Rank rank;
        rank.number = number;
        rank.timer = std::make_unique<asio::steady_timer>(io_);
        rank.timer->expires_after(std::chrono::microseconds(number * 250));  // not all at once
        co_await rank.timer->async_wait(asio::use_awaitable);
        asio::ip::tcp::socket socket(io_);
        co_await socket.async_connect({asio::ip::make_address("127.0.0.1"), port_}, asio::use_awaitable);
        rank.stream = std::make_shared<FrameStream>(std::move(socket));
        rank.stream->write(encode_message(hello_of(number, ranks_)));
        rank.stream->write(encode_message(Want{2}));
        idle_since_[number] = steady_clock::now();
        for (;;) {
            const auto payload = co_await rank.stream->read();
            if (!payload) co_return;
            const auto message = decode_message(*payload);
            const auto* lease = message ? std::get_if<Lease>(&*message) : nullptr;
            if (lease == nullptr) continue;
            const auto now = steady_clock::now();
            if (!rank.asked.empty()) {
                if (now >= begun_) waits_.push_back(duration<double, std::milli>(now - rank.asked.front()).count());
                rank.asked.pop_front();
            }
            rank.queue.push_back(*lease);
            if (!rank.computing) {
                if (now >= begun_) idle_s_ += duration<double>(now - std::max(begun_, *idle_since_[number])).count();
                compute(rank);
            }
        }
    }

    void compute(Rank& rank) {
        rank.computing = true;
        idle_since_[rank.number].reset();
        rank.timer->expires_after(std::chrono::microseconds(static_cast<std::int64_t>(batch_ms_ * 1'000)));
        rank.timer->async_wait([this, &rank](const boost::system::error_code& error) {
            if (error) return;
            const Lease lease = rank.queue.front();
            rank.queue.pop_front();
            const auto us = std::max<std::int64_t>(1, static_cast<std::int64_t>(batch_ms_ * 1'000));
            rank.stream->write(encode_message(Done{lease.number, lease.batch, 1, 0, us}));
            rank.asked.push_back(steady_clock::now());
            idle_since_[rank.number] = steady_clock::now();
            rank.computing = false;
            if (!rank.queue.empty()) compute(rank);
        });
    }

    std::size_t ranks_;
    double batch_ms_;
    std::uint16_t port_;
    asio::io_context io_{1};
    steady_clock::time_point begun_;
    steady_clock::time_point ends_;
    std::vector<double> waits_;
    std::vector<std::optional<steady_clock::time_point>> idle_since_;  // by rank; nothing while it computes
    double idle_s_ = 0;
};

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Over TCP: the coordinator in this process, the ranks in another.
Served serve(std::size_t ranks, double batch_ms, std::size_t batches) {
    const std::string folder = fs::absolute("evaljob-bench-" + std::to_string(::getpid())).string();
    fs::create_directories(folder);
    const std::uint16_t port = free_port();
    simulation::TimedJob job;
    job.batches.assign(batches, {1, 1'000, batch_ms});
    RankContract contract;
    contract.master_port = port;
    contract.shared_dir = folder;
    Served served;
    {
        asio::io_context io{1};
        auto server =
            must(CoordinatorServer::start(io, manifest_of(job), contract, options_of(ranks), "127.0.0.1",
                                          {[](int, const std::string& why) { throw std::runtime_error(why); }, [] {}}));
        int ends[2];
        if (::pipe(ends) != 0) throw std::runtime_error("pipe failed");
        const pid_t pid = ::fork();
        if (pid == 0) {
            const Served mine = Ranks(ranks, batch_ms, port).run();
            std::_Exit(::write(ends[1], &mine, sizeof mine) == sizeof mine ? 0 : 1);
        }
        ::close(ends[1]);
        const double before = cpu_seconds();
        int status = 0;
        while (::waitpid(pid, &status, WNOHANG) == 0) io.run_for(std::chrono::milliseconds(50));
        const auto leases = server->progress().leases;
        if (::read(ends[0], &served, sizeof served) != sizeof served)
            throw std::runtime_error("the ranks' side failed");
        ::close(ends[0]);
        served.cpu_us = (cpu_seconds() - before) * 1e6 / static_cast<double>(leases);
        if (leases >= batches) throw std::runtime_error("too few batches for this benchmark");
    }
    fs::remove_all(folder);
    return served;
}

}  // namespace

std::string leasing() {
    spdlog::set_level(spdlog::level::err);
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    std::string out =
        "| the coordinator's decisions alone, 1,000,000 batches | one size | sizes all differ |\n| --- | --- | --- |\n";
    for (const std::size_t ranks : {8U, 512U, 4'096U})
        out += "| " + with_commas(ranks) + " ranks, µs a lease | " + fixed(pure_us(ranks, 1'000'000, true), 2) + " | " +
               fixed(pure_us(ranks, 1'000'000, false), 2) + " |\n";
    std::fprintf(stderr, "decisions alone: done\n");
    out +=
        "\n| over TCP | batches a second | Done → next lease, p50 | p99 | share of a rank's time without a lease | "
        "coordinator's CPU a lease |\n| --- | --- | --- | --- | --- | --- |\n";
    const auto row = [&](const std::string& name, const Served& s) {
        out += "| " + name + " | " + with_commas(static_cast<std::uint64_t>(s.leases_per_second)) + " | " +
               fixed(s.p50_ms, 2) + " ms | " + fixed(s.p99_ms, 2) + " ms | " + fixed(100 * s.idle_share, 2) + " % | " +
               fixed(s.cpu_us, 1) + " µs |\n";
        std::fprintf(stderr, "%s: done\n", name.c_str());
    };
    for (const std::size_t ranks : {64U, 1'024U})
        row(with_commas(ranks) + " ranks, batches of 0 s", serve(ranks, 0, 2'000'000));
    for (const std::size_t ranks : {1'000U, 2'000U, 4'000U, 8'000U, 16'000U})
        row(with_commas(ranks) + " ranks, batches of 1 s", serve(ranks, 1'000, ranks * 24));
    return out;
}

}  // namespace evaljob::bench
