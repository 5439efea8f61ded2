#include "tests/chart/release.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "api/json_read.hpp"
#include "api/yaml.hpp"
#include "operator/carried_clock.hpp"
#include "operator/cluster/access.hpp"
#include "tests/places.hpp"

namespace evaljob::test {
namespace {

namespace fs = std::filesystem;

const kube::Resource namespaces{"", "v1", "namespaces", "Namespace"};
const kube::Resource service_accounts{"", "v1", "serviceaccounts", "ServiceAccount"};
const Json restricted = {{"labels", {{"pod-security.kubernetes.io/enforce", "restricted"}}}};

fs::path in_folder(const char* name) { return fs::path(ControlPlane::shared().kubeconfig()).parent_path() / name; }

/// The administrator's, with a token of the operator's service account in place of his.
std::string kubeconfig_of_operator(const std::string& home) {
    kube::Request request = kube::create(service_accounts, home,
                                         {{"apiVersion", "authentication.k8s.io/v1"},
                                          {"kind", "TokenRequest"},
                                          {"spec", {{"expirationSeconds", 3600}}}});
    request.path += "/evaljob/token";
    const auto token = ControlPlane::shared().send(request);
    if (!token) throw std::runtime_error(token.error().message);
    auto config = read_yaml_file(ControlPlane::shared().kubeconfig());
    if (!config) throw std::runtime_error(config.error().message);
    (*config)["users"][0]["user"] = {{"token", token->at("status").at("token")}};
    const fs::path path = in_folder("operator.kubeconfig");
    std::ofstream(path) << config->dump(2);
    return path.string();
}

}  // namespace

void Release::SetUp() {
    need_helm();
    if (!IsSkipped() && !HasFatalFailure()) OnControlPlane::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ControlPlane& plane = ControlPlane::shared(ControlPlane::Crd::None);
    if (!exists(namespaces, "", home)) {
        Json metadata = restricted;
        metadata["name"] = home;
        must(kube::create(namespaces, "", {{"metadata", metadata}}));
        change(namespaces, "", ns, {{"metadata", restricted}});
    }
    await("service accounts", [&] { return exists(service_accounts, ns, "default"); });
    static_cast<void>(plane.send(kube::remove(kube::leases, home, "evaljob", "", -1)));
}

void Release::TearDown() {
    if (IsSkipped()) return;
    stop_operator();
    uninstall();
}

void Release::install(std::vector<std::string> args) {
    args.insert(args.end(), {"--set", "operator.listen.address=127.0.0.1,operator.listen.port=" + port()});
    run_helm("install", chart, args);
}

const std::string& Release::port() {
    static const std::string free = [] {
        boost::asio::io_context io;
        const boost::asio::ip::tcp::endpoint any(boost::asio::ip::address_v4::loopback(), 0);
        return std::to_string(boost::asio::ip::tcp::acceptor(io, any).local_endpoint().port());
    }();
    return free;
}

void Release::run_helm(const std::string& verb, const std::string& what, const std::vector<std::string>& args) {
    std::vector<std::string> all = {verb, "evaljob", what, "--namespace", home};
    all.insert(all.end(), args.begin(), args.end());
    const HelmAnswer answer = helm(all, ControlPlane::shared().kubeconfig());
    ASSERT_EQ(answer.status, 0) << verb << ": " << answer.err;
}

void Release::uninstall() {
    helm({"uninstall", "evaljob", "--namespace", home, "--ignore-not-found", "--wait"},
         ControlPlane::shared().kubeconfig());
}

void Release::start_operator() {
    const Json deployment = must(kube::get(deployments, home, "evaljob"));
    const Json container = deployment.at("spec").at("template").at("spec").at("containers").at(0);
    std::vector<std::string> argv = {EVALJOB_BIN_DIR "/" + container.at("command").at(0).get<std::string>()};
    for (const Json& arg : container.at("args")) argv.push_back(arg.get<std::string>());
    argv.insert(argv.end(), {"--kubeconfig", kubeconfig_of_operator(home)});
    fs::remove(in_folder("operator.log"));
    program_.emplace(argv, in_folder("operator.log").string(),
                     std::map<std::string, std::string>{{"POD_UID", "a-pod"}});
}

void Release::stop_operator() {
    if (!program_) return;
    program_->signal(SIGTERM);
    EXPECT_EQ(program_->wait(), 0) << operator_log();
    program_.reset();
}

std::string Release::operator_log() const { return e2e::read_text(in_folder("operator.log").string()); }

std::unique_ptr<cluster::CpprestTransport> Release::connect_as_operator() {
    const auto access = cluster::find_access(kubeconfig_of_operator(home), "");
    if (!access) throw std::runtime_error(access.error().message);
    auto who = std::make_shared<cluster::Credentials>(*access, carried_clock());
    auto transport = cluster::CpprestTransport::connect(access->server, std::move(who), "evaljob-test");
    if (!transport) throw std::runtime_error(transport.error().message);
    return std::move(*transport);
}

bool Release::exists(const kube::Resource& resource, const std::string& in, const std::string& name) {
    return ControlPlane::shared().send(kube::get(resource, in, name)).has_value();
}

void Release::change(const kube::Resource& resource, const std::string& in, const std::string& name, const Json& by) {
    must({kube::Verb::Patch, kube::object_path(resource, in, name), {}, "application/merge-patch+json", by.dump()});
}

}  // namespace evaljob::test
