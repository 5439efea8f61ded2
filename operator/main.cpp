// evaljob-operator: the controller of a cluster. docs/operator.md has its options.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include "operator/carried_clock.hpp"
#include "operator/cluster/access.hpp"
#include "operator/cluster/controller_threads.hpp"
#include "operator/cluster/cpprest_transport.hpp"
#include "operator/cluster/election_thread.hpp"
#include "operator/cluster/paced_transport.hpp"

namespace evaljob {
namespace {

constexpr int ended_well = 0;
constexpr int failed = 1;
constexpr int wrong_usage = 2;

struct Options {
    std::string kubeconfig;
    std::string context;
    std::string ns;
    std::string lease_ns;
    std::string lease_name = "evaljob-operator";
    std::string identity;
    bool elect = true;
    int workers = 8;
    cluster::Pace pace;
    Settings settings;
};

kube::Milliseconds ticks() {
    return std::chrono::duration_cast<kube::Milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
}

/// The Pod's uid, so that the same Pod is back at once after a restart; elsewhere a name of this process alone.
std::string own_identity() {
    if (const char* uid = std::getenv("POD_UID"); uid && *uid) return uid;
    char host[256] = {};
    ::gethostname(host, sizeof host - 1);
    return std::string(host) + "_" + std::to_string(std::random_device{}());
}

class Operator {
public:
    Operator(Options options, std::unique_ptr<cluster::CpprestTransport> transport)
        : options_(std::move(options)),
          transport_(std::move(transport)),
          paced_(*transport_, options_.pace, ticks, [](kube::Milliseconds time) { std::this_thread::sleep_for(time); }),
          signals_(io_, SIGINT, SIGTERM) {}

    int run() {
        signals_.async_wait([this](const boost::system::error_code& error, int) {
            if (!error) end(ended_well);
        });
        if (options_.elect)
            stand_for_election();
        else
            lead();
        io_.run();
        transport_->end_streams();
        threads_.reset();
        election_.reset();
        return status_;
    }

private:
    void stand_for_election() {
        kube::ElectionOptions election;
        election.ns = options_.lease_ns;
        election.name = options_.lease_name;
        election.identity = options_.identity;
        spdlog::info("standing for election: Lease {}/{} as {}", election.ns, election.name, election.identity);
        election_ = std::make_unique<cluster::ElectionThread>(
            *transport_, std::move(election), ticks, clock_,
            cluster::ElectionThread::Calls{[this] { boost::asio::post(io_, [this] { lead(); }); },
                                           [](const std::string& why) {
                                               // Whatever is under way must not be written beside another leader.
                                               spdlog::error("the Lease is lost: {}", why);
                                               spdlog::shutdown();
                                               std::_Exit(failed);
                                           }});
    }

    void lead() {
        ControllerOptions options;
        options.ns = options_.ns;
        options.settings = options_.settings;
        options.clock = clock_;
        options.ticks = ticks;
        options.seed = std::random_device{}();
        spdlog::info("working with {} workers on {}", options_.workers,
                     options_.ns.empty() ? "all namespaces" : "namespace " + options_.ns);
        threads_ = std::make_unique<cluster::ControllerThreads>(paced_, std::move(options), options_.workers);
    }

    void end(int status) {
        status_ = status;
        spdlog::info("ending");
        io_.stop();
    }

    Options options_;
    std::unique_ptr<cluster::CpprestTransport> transport_;
    cluster::PacedTransport paced_;  // of the work; renewing the Lease never waits behind it
    Clock clock_ = carried_clock();
    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_;
    std::unique_ptr<cluster::ElectionThread> election_;
    std::unique_ptr<cluster::ControllerThreads> threads_;
    int status_ = ended_well;
};

int run(Options options) {
    const auto access = cluster::find_access(options.kubeconfig, options.context);
    if (!access) {
        spdlog::error("{}", access.error().message);
        return wrong_usage;
    }
    auto who = std::make_shared<cluster::Credentials>(*access, carried_clock());
    auto transport =
        cluster::CpprestTransport::connect(access->server, std::move(who), "evaljob-operator/" EVALJOB_VERSION);
    if (!transport) {
        spdlog::error("{}", transport.error().message);
        return failed;
    }
    if (options.lease_ns.empty()) options.lease_ns = access->ns.empty() ? "default" : access->ns;
    if (options.identity.empty()) options.identity = own_identity();
    return Operator(std::move(options), std::move(*transport)).run();
}

int parse_and_run(int argc, char** argv) {
    Options options;
    CLI::App app("evaljob-operator: makes EvalJobs happen in a Kubernetes cluster.");
    app.set_version_flag("--version", EVALJOB_VERSION);
    app.add_option("--kubeconfig", options.kubeconfig,
                   "Kubeconfig file; otherwise $KUBECONFIG, the Pod's service account, ~/.kube/config");
    app.add_option("--context", options.context, "Context of the kubeconfig, instead of its current one");
    app.add_option("--namespace", options.ns, "Only EvalJobs of this namespace; otherwise of all");
    app.add_option("--workers", options.workers, "EvalJobs reconciled at the same time")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    app.add_option("--kube-api-qps", options.pace.per_second,
                   "Requests a second at most; 0: no limit, the API server's own fairness decides")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--kube-api-burst", options.pace.burst, "How many of them may go at once after a pause")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_flag("--leader-elect,!--no-leader-elect", options.elect, "Work only while holding the Lease (default)");
    app.add_option("--lease-namespace", options.lease_ns, "Namespace of the Lease; otherwise our own");
    app.add_option("--lease-name", options.lease_name, "Name of the Lease")->capture_default_str();
    app.add_option("--identity", options.identity, "Holder's name in the Lease; otherwise $POD_UID");
    app.add_option("--runner-image", options.settings.runner_image, "Image of runners and merges that name none")
        ->capture_default_str();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? ended_well : wrong_usage;
    }
    return run(std::move(options));
}

}  // namespace
}  // namespace evaljob

int main(int argc, char** argv) {
    spdlog::set_default_logger(spdlog::stderr_logger_mt("evaljob"));
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    try {
        return evaljob::parse_and_run(argc, argv);
    } catch (const std::exception& error) {
        spdlog::error("unexpected: {}", error.what());
        return evaljob::failed;
    }
}
