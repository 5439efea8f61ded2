#include "tests/api_server/control_plane.hpp"

#include <sys/prctl.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/process.hpp>
#include <boost/process/extend.hpp>

#include "api/yaml.hpp"
#include "operator/carried_clock.hpp"
#include "operator/cluster/access.hpp"
#include "tests/places.hpp"

namespace evaljob::test {
namespace {

namespace fs = std::filesystem;
namespace process = boost::process;

const kube::Resource crds{"apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition"};

std::vector<std::string> free_ports(std::size_t count) {
    boost::asio::io_context io;
    std::vector<boost::asio::ip::tcp::acceptor> held;
    std::vector<std::string> ports;
    for (std::size_t i = 0; i < count; ++i) {
        held.emplace_back(io, boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
        ports.push_back(std::to_string(held.back().local_endpoint().port()));
    }
    return ports;
}

fs::path temporary_folder() {
    std::string name = (fs::temp_directory_path() / "evaljob-control-plane-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    return name;
}

}  // namespace

struct ControlPlane::State {
    fs::path folder = temporary_folder();
    process::ipstream output;
    process::child script;
    std::unique_ptr<cluster::CpprestTransport> transport;

    State() {
        auto args = free_ports(4);
        args.insert(args.begin(), folder.string());
        // It must not outlive a test that is killed.
        script = process::child(
            EVALJOB_SOURCE_DIR "/tests/api_server/control_plane.sh", process::args(args), process::std_out > output,
            process::extend::on_exec_setup = [](auto&) { ::prctl(PR_SET_PDEATHSIG, SIGTERM); });
        std::string line;
        if (!std::getline(output, line) || line != "ready")
            throw std::runtime_error("the control plane does not start");
    }
    ~State() {
        transport.reset();
        ::kill(script.id(), SIGTERM);
        script.wait();
        std::error_code ignored;
        fs::remove_all(folder, ignored);
    }
};

ControlPlane::ControlPlane(Crd crd_is) : state_(std::make_unique<State>()) {
    state_->transport = connect();
    if (crd_is == Crd::None) return;
    const auto crd = read_yaml_file(EVALJOB_SOURCE_DIR "/crds/evaljobs.evaljob.dev.yaml");
    if (!crd) throw std::runtime_error(crd.error().message);
    if (const auto made = send(kube::create(crds, "", *crd)); !made) throw std::runtime_error(made.error().message);
    // Served a moment later.
    for (int i = 0; i < 600; ++i) {
        if (send(kube::list(kube::evaljobs, "default", "")) && send(kube::list(kube::pods, "default", ""))) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    throw std::runtime_error("EvalJobs are not served after a minute");
}

ControlPlane::~ControlPlane() = default;

ControlPlane& ControlPlane::shared(Crd crd) {
    static ControlPlane one(crd);
    return one;
}

std::string ControlPlane::kubeconfig() const { return (state_->folder / "kubeconfig").string(); }
std::string ControlPlane::audit_log() const { return (state_->folder / "audit.log").string(); }

int ControlPlane::api_server() const {
    const std::string script = "/proc/" + std::to_string(state_->script.id());
    std::ifstream children(script + "/task/" + std::to_string(state_->script.id()) + "/children");
    for (int child = 0; children >> child;) {
        std::string name;
        std::getline(std::ifstream("/proc/" + std::to_string(child) + "/comm"), name);
        if (name == "kube-apiserver") return child;
    }
    throw std::runtime_error("there is no kube-apiserver among the children of control_plane.sh");
}

std::unique_ptr<cluster::CpprestTransport> ControlPlane::connect(cluster::TransportOptions options) const {
    const auto access = cluster::find_access(kubeconfig(), "");
    if (!access) throw std::runtime_error(access.error().message);
    auto who = std::make_shared<cluster::Credentials>(*access, carried_clock());
    auto transport = cluster::CpprestTransport::connect(access->server, std::move(who), "evaljob-test", options);
    if (!transport) throw std::runtime_error(transport.error().message);
    return std::move(*transport);
}

Result<Json> ControlPlane::send(const kube::Request& request) {
    const auto response = state_->transport->send(request);
    if (!response) return tl::unexpected(response.error());
    return kube::read_response(*response);
}

void OnControlPlane::SetUp() {
    for (const char* program : {"etcd", "kube-apiserver", "kube-controller-manager", "openssl", "curl"}) {
        if (!process::search_path(program).empty()) continue;
        const std::string why =
            std::string(program) + " is not on PATH: there is no control plane to test with; ./dev test brings one";
        if (std::getenv("EVALJOB_REQUIRE_API_SERVER") != nullptr) FAIL() << why;
        GTEST_SKIP() << why;
    }
}

}  // namespace evaljob::test
