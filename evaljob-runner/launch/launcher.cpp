#include "evaljob-runner/launch/launcher.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <charconv>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <utility>

#include <spdlog/spdlog.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/printable.hpp"
#include "api/progress_report.hpp"
#include "api/runner_environment.hpp"
#include "evaljob-runner/launch/child.hpp"
#include "evaljob-runner/launch/coordinator_server.hpp"
#include "evaljob-runner/launch/device.hpp"
#include "evaljob-runner/launch/exit_status.hpp"
#include "evaljob-runner/launch/needed_at_end.hpp"
#include "evaljob-runner/launch/node_metrics.hpp"
#include "evaljob-runner/launch/node_writes.hpp"
#include "evaljob-runner/launch/progress_json.hpp"
#include "evaljob-runner/launch/rank_counters.hpp"
#include "evaljob-runner/launch/rank_exit.hpp"
#include "evaljob-runner/launch/run_files.hpp"
#include "evaljob-runner/launch/stop_signals.hpp"
#include "evaljob-runner/launch/termination_log.hpp"
#include "evaljob-runner/manifest/build_manifest.hpp"
#include "evaljob-runner/manifest/dataset_samples.hpp"
#include "evaljob-runner/storage/files.hpp"
#include "evaljob-runner/storage/memory_file.hpp"
#include "net/http_server.hpp"

namespace evaljob {

namespace asio = boost::asio;

namespace {

/// Auto: not where each answer may have its price.
bool has_backup_leases(const Eval& eval) {
    if (eval.inference.backup_leases != BackupLeases::Auto) return eval.inference.backup_leases == BackupLeases::Always;
    return eval.model.format != ModelFormat::OpenAI;
}

constexpr std::chrono::seconds stop_patience{20};  // below the 30 s that Kubernetes gives a Pod
constexpr std::size_t most_other_descriptors = 256;

/// What a node is told.
struct Told {
    RankContract contract;
    Eval eval;
    std::string token;
};

class Launcher {
public:
    Launcher(LaunchOptions options, Environment environment, Told told)
        : options_(std::move(options)),
          environment_(std::move(environment)),
          contract_(std::move(told.contract)),
          eval_(std::move(told.eval)),
          token_(std::move(told.token)),
          signals_(io_, [this](int signal_number) { on_signal(signal_number); }),
          child_signals_(io_, SIGCHLD),
          kill_timer_(io_) {}

    int run() {
        make_room_for_connections();
        start_ranks();
        if (auto served = serve(); !served) {
            // The run's progress must be had; another node's metrics need not, where several share a machine's network.
            if (contract_.node_rank == 0)
                end(exit_status_of(served.error()), served.error().message);
            else
                spdlog::warn("launcher: no /metrics of this node: {}", served.error().message);
        }
        if (contract_.node_rank == 0) {
            if (auto started = start_coordinator(); !started)
                end(exit_status_of(started.error()), started.error().message);
        }
        await_children();
        io_.run();
        if (status_ == exit_code::success && coordinator_)
            write_termination_message(environment_, encode_last_words(coordinator_->identity()));
        return status_;
    }

private:
    struct Rank {
        std::shared_ptr<Child> child;  // null once it has ended for good
        int restarts = 0;
        std::optional<SharedCounters> counters;
    };

    void on_signal(int signal_number) {
        spdlog::info("launcher: signal {}: stopping", signal_number);
        stop_ranks(exit_code::terminated, "");
    }

    /// On node 0 every rank of the job has one, beside those that anybody may open.
    void make_room_for_connections() const {
        if (contract_.node_rank != 0) return;
        const std::size_t wanted = 2 * static_cast<std::size_t>(contract_.world_size) + most_other_descriptors;
        if (const auto have = raise_descriptor_limit(); have < wanted)
            spdlog::warn("launcher: this process may have {} open files, a job of {} ranks wants {}; raise ulimit -n",
                         have, contract_.world_size, wanted);
    }

    void await_children() {
        reap();  // those that ended before anyone listened
        if (live() == 0) return;
        child_signals_.async_wait([this](const boost::system::error_code& error, int) {
            if (!error) await_children();
        });
    }

    void start_ranks() {
        if (!node0_writes_for(environment_, contract_)) {
            if (auto made = make_folders(contract_.output_dir); !made)
                return end(exit_code::storage, made.error().message);
        }
        // Ranks have the model's bytes in one file in memory. It is gone when the last of them has loaded the model;
        // one that is started again reads the model by itself.
        auto memory = MemoryFile::make();
        if (!memory) spdlog::warn("launcher: {}", memory.error().message);
        const int handed_down = memory ? memory->descriptor() : -1;
        for (std::int32_t local = 0; local < contract_.local_world_size; ++local) start_rank(local, handed_down);
    }

    void start_rank(std::int32_t local, int memory = -1) {
        const std::int32_t rank = contract_.node_rank * contract_.local_world_size + local;
        Environment environment = environment_;
        environment["RANK"] = std::to_string(rank);
        environment["LOCAL_RANK"] = std::to_string(local);
        environment["EVALJOB_RANK_RESTART"] = std::to_string(ranks_[local].restarts);
        environment[SharedCounters::variable] = counters_of(local);
        environment.erase(MemoryFile::variable);
        if (memory >= 0) environment[MemoryFile::variable] = "3";
        std::vector<std::string> argv = options_.wrapper;
        argv.push_back((std::filesystem::read_symlink("/proc/self/exe").parent_path() / "evaljob-rank").string());
        const auto print = [rank](const std::string& line) {
            std::cout << "[rank " << rank << "] " << printable(line) << std::endl;
        };
        auto child = Child::start(io_, argv, environment, print, memory);
        if (!child) return end(exit_code::internal, child.error().message);
        ranks_[local].child = *child;
    }

    /// The path; empty, and metrics without this rank, where there is no memory to be had.
    std::string counters_of(std::int32_t local) {
        auto& counters = ranks_[local].counters;
        if (!counters) {
            auto made = SharedCounters::make();
            if (!made) spdlog::warn("launcher: {}", made.error().message);
            if (made) counters = std::move(*made);
        }
        return counters ? counters->path() : "";
    }

    Result<void> start_coordinator() {
        const std::string root = value_of(environment_, runner_environment::storage_root, ".");
        if (auto there = look_up_scorers(eval_, root, environment_); !there) return there;
        const DeviceChoice device = choose_device(eval_, 0, contract_.local_world_size, visible_devices(environment_));
        auto manifest = build_manifest(eval_, root, device.kind);
        if (!manifest) return tl::unexpected(manifest.error());
        for (const std::string& note : dataset_notes(*manifest)) spdlog::info("{}", note);
        CoordinatorOptions options;
        options.token = token_;
        options.schedule = eval_.inference.schedule;
        options.backup_leases = has_backup_leases(eval_);
        options.several_at_once = eval_.model.format == ModelFormat::OpenAI;
        options.expected = {contract_.run_id, contract_.world_size, contract_.local_world_size, device.kind};
        const std::string address = value_of(environment_, runner_environment::pod_ip);
        const FailedBefore failed{max_failed_samples(), eval_.retry_failed};
        auto server = CoordinatorServer::start(
            io_, std::move(*manifest), contract_, options, address,
            {[this](int code, const std::string& why) { end(code, why); }, [this] { coordinator_finished(); }}, failed);
        if (!server) return tl::unexpected(server.error());
        coordinator_ = std::move(*server);
        return {};
    }

    std::int64_t max_failed_samples() const {
        const std::string text = value_of(environment_, runner_environment::max_failed_samples, "0");
        std::int64_t number = 0;
        std::from_chars(text.data(), text.data() + text.size(), number);
        return number;
    }

    Result<void> serve() {
        const std::string port = value_of(environment_, runner_environment::http_port);
        if (port.empty()) return {};
        http_ = std::make_unique<HttpServer>(io_, [this](const std::string& path) { return answer(path); });
        return http_->listen(value_of(environment_, runner_environment::pod_ip),
                             static_cast<std::uint16_t>(std::stoi(port)), port_mend);
    }

    HttpAnswer answer(const std::string& path) const {
        if (path == "/metrics") {
            const auto run = coordinator_ ? std::optional(coordinator_->progress()) : std::nullopt;
            return {200, node_metrics(usage(), run ? &*run : nullptr), "text/plain; version=0.0.4"};
        }
        if (path != "/progress") return no_such_path("GET /progress, GET /metrics");
        // Before the coordinator is there, node 0 has nothing to say about the run.
        if (contract_.node_rank == 0 && !coordinator_) return {503, R"({"error": "the coordinator is not ready yet"})"};
        if (!coordinator_) return {200, node_progress_json(usage(), contract_.attempt)};
        return {200, progress_json(coordinator_->progress(), contract_.attempt, coordinator_->identity())};
    }

    std::vector<RankUsage> usage() const {
        std::vector<RankUsage> ranks;
        for (const auto& [local, rank] : ranks_) {
            if (!rank.counters) continue;
            const RankCounters& c = **rank.counters;
            const auto seconds = [](std::uint64_t us) { return static_cast<double>(us) / 1e6; };
            ranks.push_back({contract_.node_rank * contract_.local_world_size + local, rank.restarts, c.batches,
                             c.samples, c.failed, seconds(c.starting_us), seconds(c.waiting_us),
                             seconds(c.computing_us), seconds(c.writing_us), c.requests, c.requests_again,
                             c.prompt_tokens, c.completion_tokens});
        }
        return ranks;
    }

    void reap() {
        for (auto& [local, rank] : ranks_) {
            if (!rank.child) continue;
            int wait_status = 0;
            if (::waitpid(rank.child->pid(), &wait_status, WNOHANG) != rank.child->pid()) continue;
            rank.child->drain();
            const int status = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
            rank_ended(local, status);
        }
        if (live() == 0) all_ended();
    }

    void rank_ended(std::int32_t local, int status) {
        Rank& rank = ranks_[local];
        const auto child = std::exchange(rank.child, nullptr);
        if (ending_) return;
        const auto decision = decide_rank_exit(status, rank.restarts, options_.max_rank_restarts);
        const std::int32_t number = contract_.node_rank * contract_.local_world_size + local;
        if (std::holds_alternative<RankFinished>(decision)) return;
        if (std::holds_alternative<RestartRank>(decision)) {
            ++rank.restarts;
            spdlog::warn("launcher: rank {} ended with status {}; restarting it in place ({} of {})", number, status,
                         rank.restarts, options_.max_rank_restarts);
            return start_rank(local);
        }
        end(std::get<EndNode>(decision).exit_code, death_of(number, status, child->last_lines()));
    }

    /// What a person can mend is one line; of what nobody foresaw, all that there is.
    static std::string death_of(std::int32_t rank, int status, const std::deque<std::string>& lines) {
        const std::string error = last_error(lines);
        if (exit_code::is_final(status) && !error.empty()) return "rank " + std::to_string(rank) + ": " + error;
        std::string text = "rank " + std::to_string(rank) + " ended with status " + std::to_string(status);
        for (const auto& line : lines) text += "\n" + line;
        return text;
    }

    /// The first reason to end is the one that is passed on.
    void end(int exit_status, const std::string& message) {
        if (!ending_) spdlog::error("launcher: {}", message);
        stop_ranks(exit_status, message);
    }

    void stop_ranks(int exit_status, const std::string& message) {
        if (ending_) return;
        ending_ = true;
        status_ = exit_status;
        if (!message.empty()) write_termination_message(environment_, message);
        signal_ranks(SIGTERM);
        kill_timer_.expires_after(stop_patience);
        kill_timer_.async_wait([this](const boost::system::error_code& error) {
            if (!error) signal_ranks(SIGKILL);
        });
    }

    void signal_ranks(int signal_number) const {
        for (const auto& [local, rank] : ranks_) {
            if (rank.child) rank.child->signal(signal_number);
        }
    }

    void coordinator_finished() {
        coordinator_done_ = true;
        if (live() == 0) all_ended();
    }

    void all_ended() {
        // Node 0 stays until every connected rank of the job has heard that it is over.
        if (!ending_ && coordinator_ && !coordinator_done_) return;
        io_.stop();
    }

    std::size_t live() const {
        std::size_t count = 0;
        for (const auto& [local, rank] : ranks_) count += rank.child ? 1 : 0;
        return count;
    }

    LaunchOptions options_;
    Environment environment_;
    RankContract contract_;
    Eval eval_;
    std::string token_;
    asio::io_context io_{1};
    StopSignals signals_;
    asio::signal_set child_signals_;
    asio::steady_timer kill_timer_;
    std::map<std::int32_t, Rank> ranks_;
    std::unique_ptr<CoordinatorServer> coordinator_;
    std::unique_ptr<HttpServer> http_;
    bool coordinator_done_ = false;
    bool ending_ = false;
    int status_ = exit_code::success;
};

Result<Told> read_told(const Environment& environment) {
    auto contract = read_contract(environment);
    if (!contract) return tl::unexpected(contract.error());
    auto eval = read_run_eval(environment);
    if (!eval) return tl::unexpected(eval.error());
    auto token = read_run_token(environment);
    if (!token) return tl::unexpected(token.error());
    return Told{std::move(*contract), std::move(*eval), std::move(*token)};
}

}  // namespace

int launch_node(const LaunchOptions& options, const Environment& environment) {
    auto told = read_told(environment);
    if (!told) {
        spdlog::error("launcher: {}", told.error().message);
        write_termination_message(environment, told.error().message);
        return exit_code::contract;
    }
    return Launcher(options, environment, std::move(*told)).run();
}

}  // namespace evaljob
