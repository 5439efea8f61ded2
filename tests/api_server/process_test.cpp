// evaljob-operator as a process: its probes, metrics, log and Lease, and the progress that it asks of a runner, which
// here is a small server of the test's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "api/json_read.hpp"
#include "api/json_text.hpp"
#include "net/http_server.hpp"
#include "tests/api_server/life.hpp"
#include "tests/e2e/program.hpp"
#include "tests/places.hpp"

namespace evaljob::test {
namespace {

namespace http = boost::beast::http;
using testing::HasSubstr;

/// "" when nobody answers.
std::string ask(std::uint16_t port, const std::string& path) {
    boost::asio::io_context io;
    boost::beast::tcp_stream stream(io);
    boost::system::error_code error;
    stream.connect({boost::asio::ip::address_v4::loopback(), port}, error);
    if (error) return "";
    http::request<http::empty_body> request(http::verb::get, path, 11);
    http::write(stream, request, error);
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> response;
    http::read(stream, buffer, response, error);
    return std::to_string(response.result_int()) + " " + response.body();
}

/// Answers GET /progress on a port of its own, on a thread of its own.
class FakeRunner {
public:
    FakeRunner() {
        const auto listening = server_.listen("127.0.0.1", 0, "");
        EXPECT_TRUE(listening.has_value());
        thread_ = std::thread([this] { io_.run(); });
    }
    ~FakeRunner() {
        io_.stop();
        thread_.join();
    }
    std::uint16_t port() const { return server_.port(); }
    void say(const Json& progress) {
        const std::lock_guard lock(mutex_);
        body_ = progress.dump();
    }

private:
    std::mutex mutex_;
    std::string body_ = "{}";
    boost::asio::io_context io_{1};
    HttpServer server_{io_, [this](const std::string&) {
                           const std::lock_guard lock(mutex_);
                           return HttpAnswer{200, body_};
                       }};
    std::thread thread_;
};

std::uint16_t free_port() {
    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor held(io, {boost::asio::ip::address_v4::loopback(), 0});
    return held.local_endpoint().port();
}

class ProcessOnApiServer : public Life {
protected:
    struct Running {
        std::uint16_t port = free_port();
        std::string log;
        std::unique_ptr<e2e::Program> program;
    };

    void start_operator() override { operator_ = start_as("a"); }
    void stop_operator() override {
        if (!operator_) return;
        operator_->program->signal(SIGTERM);
        EXPECT_EQ(operator_->program->wait(), 0) << e2e::read_text(operator_->log);
        operator_.reset();
    }

    static Running start_as(const std::string& identity) {
        static int number = 0;
        Running running;
        const auto folder = std::filesystem::path(ControlPlane::shared().kubeconfig()).parent_path();
        running.log = (folder / ("operator-" + std::to_string(++number) + ".log")).string();
        running.program = std::make_unique<e2e::Program>(
            std::vector<std::string>{EVALJOB_BIN_DIR "/evaljob-operator", "--kubeconfig",
                                     ControlPlane::shared().kubeconfig(), "--identity", identity, "--log-format",
                                     "json", "--listen", "127.0.0.1:" + std::to_string(running.port)},
            running.log);
        return running;
    }

    static void await_answer(const Running& running, const std::string& path, const std::string& answer) {
        await(path + " answers " + answer, [&] { return ask(running.port, path) == answer; });
    }

    static Json lease() { return member(must(kube::get(kube::leases, ns, "evaljob-operator")), "spec"); }

    std::optional<Running> operator_;
};

TEST_F(ProcessOnApiServer, ProbesAndMetricsSayWhoWorks) {
    await_answer(*operator_, "/readyz", "200 working\n");
    EXPECT_EQ(ask(operator_->port, "/healthz"), "200 ok\n");
    EXPECT_THAT(ask(operator_->port, "/"), HasSubstr("GET /healthz, /readyz and /metrics"));
    const std::string metrics = ask(operator_->port, "/metrics");
    EXPECT_THAT(metrics, HasSubstr(R"(leader_election_master_status{name="evaljob-operator"} 1)"));
    EXPECT_THAT(metrics, HasSubstr(R"(rest_client_requests_total{code="200",)"));
    Running second = start_as("b");
    await_answer(second, "/readyz", "200 standing by: another holds the Lease\n");
    EXPECT_THAT(ask(second.port, "/metrics"), HasSubstr(R"(leader_election_master_status{name="evaljob-operator"} 0)"));
    stop_operator();
    await_answer(second, "/readyz", "200 working\n");
    operator_ = std::move(second);
}

TEST_F(ProcessOnApiServer, TheSamePodGoesOnAtOnceAfterAKill) {
    await_answer(*operator_, "/readyz", "200 working\n");
    const std::int64_t transitions = number_of(lease(), "leaseTransitions");
    operator_->program->signal(SIGKILL);
    operator_->program->wait();
    start_operator();
    await_answer(*operator_, "/readyz", "200 working\n");
    EXPECT_EQ(text_of(lease(), "holderIdentity"), "a");
    EXPECT_EQ(number_of(lease(), "leaseTransitions"), transitions) << "nobody else had it";
}

TEST_F(ProcessOnApiServer, ProgressReachesStatusAndAStallNamesTheSlowestRank) {
    FakeRunner runner;
    runner.say(
        {{"samplesDone", 40}, {"samplesTotal", 100}, {"idleSeconds", 0}, {"attempt", 0}, {"rendezvousReady", true}});
    Json job = fashion_job("asks", 2);
    job["spec"]["rendezvous"]["port"] = runner.port() - 1;
    job["spec"]["progressDeadlineSeconds"] = 30;
    must(kube::create(kube::evaljobs, ns, job));
    await_pods("asks", 2);
    for (const Json& pod : pods_of("asks")) run(pod, "127.0.0.1");
    await("40 %", [] { return text_of(member(status_of("asks"), "summary"), "progress") == "40%"; });
    await_condition("asks", "RendezvousReady");
    EXPECT_THAT(ask(operator_->port, "/metrics"),
                HasSubstr(R"(evaljob_samples_done{namespace="default",name="asks"} 40)"));
    runner.say({{"samplesDone", 41},
                {"samplesTotal", 100},
                {"idleSeconds", 31},
                {"attempt", 0},
                {"rendezvousReady", true},
                {"slowestRank", "3"}});
    await_condition("asks", "Stalled");
    EXPECT_EQ(text_of(condition("asks", "Stalled"), "message"),
              "no sample was finished for 31 s; the slowest rank is 3");
    EXPECT_EQ(number_of(status_of("asks"), "restarts"), 1);
}

TEST_F(ProcessOnApiServer, ItsLogIsJsonLinesWithoutSecrets) {
    must(kube::create(kube::evaljobs, ns, fashion_job("logged", 2)));
    await_pods("logged", 2);
    const std::string log = operator_->log;
    stop_operator();
    std::istringstream lines(e2e::read_text(log));
    std::string line;
    int of_the_job = 0;
    while (std::getline(lines, line)) {
        const Json entry = parse_json(line);
        for (const char* field : {"time", "level", "message"}) EXPECT_NE(text_of(entry, field), "") << line;
        of_the_job += text_of(entry, "evaljob") == "default/logged" ? 1 : 0;
        EXPECT_THAT(line, testing::Not(HasSubstr("admin-token")));
    }
    EXPECT_GT(of_the_job, 0);
}

}  // namespace
}  // namespace evaljob::test
