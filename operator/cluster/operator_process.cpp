#include "operator/cluster/operator_process.hpp"

#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include "net/http_server.hpp"
#include "net/progress_puller.hpp"
#include "operator/carried_clock.hpp"
#include "operator/cluster/controller_threads.hpp"
#include "operator/cluster/election_thread.hpp"
#include "operator/cluster/metrics.hpp"
#include "operator/plan/progress.hpp"

namespace evaljob::cluster {
namespace {

// What an answer changes is at most one status write, so this bounds those too.
constexpr double most_progress_requests_a_second = 20;
constexpr std::int64_t fresh_progress_seconds = 2;
constexpr std::chrono::minutes longest_reconcile{10};  // anything longer hangs
constexpr int status_of_lost_lease = 1;

kube::Milliseconds ticks() {
    return std::chrono::duration_cast<kube::Milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
}

HttpAnswer plain(int status, const std::string& text) { return {status, text + "\n", "text/plain; charset=utf-8"}; }

class OperatorProcess {
public:
    OperatorProcess(const OperatorOptions& options, CpprestTransport& transport, const std::string& host)
        : options_(options),
          transport_(transport),
          metrics_(options.version, options.workers),
          measured_(transport, metrics_, host),
          paced_(measured_, options.pace, ticks, [](kube::Milliseconds time) { std::this_thread::sleep_for(time); }),
          signals_(io_, SIGINT, SIGTERM),
          server_(io_, [this](const std::string& path) { return answer(path); }),
          progress_(io_, {clock_, most_progress_requests_a_second, fresh_progress_seconds,
                          [this](const std::string& job) { threads_->look_at(job); }}) {}

    Result<void> run() {
        if (options_.listen_port != 0) {
            const auto port = static_cast<std::uint16_t>(options_.listen_port);
            auto listening = server_.listen(options_.listen_address, port, "set --listen to a free one");
            if (!listening) return listening;
        }
        signals_.async_wait([this](const boost::system::error_code& error, int) {
            if (!error) end();
        });
        if (options_.elect)
            stand_for_election();
        else
            lead();
        io_.run();
        transport_.end_streams();
        metrics_.read_from(nullptr);
        threads_.reset();
        election_.reset();
        return {};
    }

private:
    void stand_for_election() {
        kube::ElectionOptions election;
        election.ns = options_.lease_ns;
        election.name = options_.lease_name;
        election.identity = options_.identity;
        spdlog::info("standing for election: Lease {}/{} as {}", election.ns, election.name, election.identity);
        metrics_.leads(election.name, false);
        election_ = std::make_unique<ElectionThread>(
            measured_, std::move(election), ticks, clock_,
            ElectionThread::Calls{[this] { boost::asio::post(io_, [this] { lead(); }); },
                                  [](const std::string& why) {
                                      // Whatever is under way must not be written beside another leader.
                                      spdlog::error("the Lease is lost: {}", why);
                                      spdlog::shutdown();
                                      std::_Exit(status_of_lost_lease);
                                  }});
    }

    void lead() {
        ControllerOptions controller;
        controller.ns = options_.ns;
        controller.settings = options_.settings;
        controller.clock = clock_;
        controller.ticks = ticks;
        controller.seed = std::random_device{}();
        controller.progress = [this](const Observed& observed) { return report(observed); };
        controller.reconciled = [this](const ReconcileTimes& times) { metrics_.reconciled(times); };
        spdlog::info("working with {} workers on {}", options_.workers,
                     options_.ns.empty() ? "all namespaces" : "namespace " + options_.ns);
        threads_ = std::make_unique<ControllerThreads>(paced_, std::move(controller), options_.workers);
        metrics_.read_from(&threads_->controller());
        if (options_.elect) metrics_.leads(options_.lease_name, true);
    }

    /// By the workers: asks again, and goes on with what came last.
    std::optional<ProgressReport> report(const Observed& observed) {
        const ObjectMeta& meta = observed.job.meta;
        const auto place = progress_place(observed, options_.settings);
        if (!place) return {};
        progress_.ask(
            {kube::key_of(meta.ns, meta.name), meta.uid, place->address, static_cast<std::uint16_t>(place->port)});
        return progress_.latest(meta.uid);
    }

    HttpAnswer answer(const std::string& path) const {
        if (path == "/healthz") return healthy();
        if (path == "/readyz") return ready();
        if (path == "/metrics") return {200, metrics_.text(), "text/plain; version=0.0.4; charset=utf-8"};
        return no_such_path("GET /healthz, /readyz and /metrics");
    }

    /// A probe that fails has the container started again: only when that is what would help.
    HttpAnswer healthy() const {
        if (threads_ && threads_->controller().workload().longest > longest_reconcile)
            return plain(500, "a reconcile has taken more than ten minutes");
        return plain(200, "ok");
    }

    HttpAnswer ready() const {
        if (threads_) {
            if (threads_->controller().synced()) return plain(200, "working");
            return plain(503, "listing what the cluster holds");
        }
        if (election_ && election_->heard()) return plain(200, "standing by: another holds the Lease");
        return plain(503, "the API server has not answered about the Lease yet");
    }

    void end() {
        spdlog::info("ending");
        progress_.stop();
        io_.stop();
    }

    const OperatorOptions& options_;
    CpprestTransport& transport_;
    Metrics metrics_;
    MeasuredTransport measured_;
    PacedTransport paced_;  // of the work; renewing the Lease never waits behind it
    Clock clock_ = carried_clock();
    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_;
    HttpServer server_;
    ProgressPuller progress_;
    std::unique_ptr<ElectionThread> election_;
    std::unique_ptr<ControllerThreads> threads_;
};

}  // namespace

Result<void> run_operator(const OperatorOptions& options, CpprestTransport& transport, const std::string& host) {
    return OperatorProcess(options, transport, host).run();
}

}  // namespace evaljob::cluster
