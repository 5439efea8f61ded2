// evaljob-operator: the controller of a cluster. docs/operator.md has its options.
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cstdlib>
#include <memory>
#include <random>
#include <utility>

#include "operator/carried_clock.hpp"
#include "operator/cluster/access.hpp"
#include "operator/cluster/operator_process.hpp"
#include "operator/cluster/system_authorities.hpp"
#include "operator/log.hpp"
#include "operator/plan/pod_security.hpp"

namespace evaljob {
namespace {

constexpr int ended_well = 0;
constexpr int failed = 1;
constexpr int wrong_usage = 2;

struct Options {
    std::string kubeconfig;
    std::string context;
    std::string listen = ":8080";
    std::string log_format = "text";
    std::string log_level = "info";
    cluster::OperatorOptions process;
};

/// The Pod's uid, so that the same Pod is back at once after a restart; elsewhere a name of this process alone.
std::string own_identity() {
    if (const char* uid = std::getenv("POD_UID"); uid && *uid) return uid;
    char host[256] = {};
    ::gethostname(host, sizeof host - 1);
    return std::string(host) + "_" + std::to_string(std::random_device{}());
}

/// "ADDRESS:PORT" or ":PORT"; "0": nothing is served.
bool read_listen(const std::string& text, cluster::OperatorOptions& options) {
    options.listen_port = 0;
    if (text == "0") return true;
    const auto colon = text.rfind(':');
    if (colon == std::string::npos) return false;
    options.listen_address = text.substr(0, colon);
    return CLI::detail::lexical_cast(text.substr(colon + 1), options.listen_port) && options.listen_port > 0 &&
           options.listen_port < 65536;
}

int run(Options options) {
    start_logging(options.log_format == "json" ? LogFormat::Json : LogFormat::Text,
                  spdlog::level::from_str(options.log_level));
    cluster::OperatorOptions& process = options.process;
    if (!read_listen(options.listen, process)) {
        spdlog::error("--listen: must be ADDRESS:PORT, :PORT or 0, is \"{}\"", options.listen);
        return wrong_usage;
    }
    const auto access = cluster::find_access(options.kubeconfig, options.context);
    if (!access) {
        spdlog::error("{}", access.error().message);
        return wrong_usage;
    }
    if (!access->ca.empty()) cluster::hide_system_authorities();
    auto who = std::make_shared<cluster::Credentials>(*access, carried_clock());
    auto transport =
        cluster::CpprestTransport::connect(access->server, std::move(who), "evaljob-operator/" EVALJOB_VERSION);
    if (!transport) {
        spdlog::error("{}", transport.error().message);
        return failed;
    }
    if (process.lease_ns.empty()) process.lease_ns = access->ns.empty() ? "default" : access->ns;
    if (process.identity.empty()) process.identity = own_identity();
    const std::string host = access->server.substr(access->server.find("//") + 2);
    if (const auto ended = cluster::run_operator(process, **transport, host); !ended) {
        spdlog::error("{}", ended.error().message);
        return failed;
    }
    return ended_well;
}

std::vector<std::string> allowance_names() {
    std::vector<std::string> names;
    for (const Allowance& allowance : allowances()) names.emplace_back(allowance.name);
    return names;
}

void declare_cluster(CLI::App& app, Options& options) {
    cluster::OperatorOptions& process = options.process;
    app.add_option("--kubeconfig", options.kubeconfig,
                   "Kubeconfig file; otherwise $KUBECONFIG, the Pod's service account, ~/.kube/config");
    app.add_option("--context", options.context, "Context of the kubeconfig, instead of its current one");
    app.add_option("--namespace", process.ns, "Only EvalJobs of this namespace; otherwise of all");
    app.add_option("--workers", process.workers, "EvalJobs reconciled at the same time")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    app.add_option("--kube-api-qps", process.pace.per_second,
                   "Requests a second at most; 0: no limit, the API server's own fairness decides")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--kube-api-burst", process.pace.burst, "How many of them may go at once after a pause")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--runner-image", process.settings.runner_image, "Image of runners and merges that name none")
        ->capture_default_str();
    app.add_option("--allow", process.settings.allowed,
                   "What templates of EvalJobs may use beyond Pod Security restricted; may be repeated")
        ->check(CLI::IsMember(allowance_names()))
        ->delimiter(',');
}

void declare_process(CLI::App& app, Options& options) {
    cluster::OperatorOptions& process = options.process;
    process.lease_name = "evaljob-operator";
    process.version = EVALJOB_VERSION;
    app.add_flag("--leader-elect,!--no-leader-elect", process.elect, "Work only while holding the Lease (default)");
    app.add_option("--lease-namespace", process.lease_ns, "Namespace of the Lease; otherwise our own");
    app.add_option("--lease-name", process.lease_name, "Name of the Lease")->capture_default_str();
    app.add_option("--identity", process.identity, "Holder's name in the Lease; otherwise $POD_UID");
    app.add_option("--listen", options.listen,
                   "ADDRESS:PORT of /healthz, /readyz and /metrics; no address: all; 0: none")
        ->capture_default_str();
    app.add_option("--log-format", options.log_format, "text or json, a line each on standard error")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    app.add_option("--log-level", options.log_level, "debug, info, warn or error")
        ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
        ->capture_default_str();
}

int parse_and_run(int argc, char** argv) {
    Options options;
    CLI::App app("evaljob-operator: makes EvalJobs happen in a Kubernetes cluster.");
    app.set_version_flag("--version", EVALJOB_VERSION);
    declare_cluster(app, options);
    declare_process(app, options);
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
    // One heap: with one for each thread, what answers have left behind is kept as often as there are threads.
    ::mallopt(M_ARENA_MAX, 1);
    try {
        return evaljob::parse_and_run(argc, argv);
    } catch (const std::exception& error) {
        spdlog::error("unexpected: {}", error.what());
        return evaljob::failed;
    }
}
