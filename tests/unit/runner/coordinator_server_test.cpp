// The coordinator's port, under connections that no rank has made.
#include "evaljob-runner/launch/coordinator_server.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <functional>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "tests/unit/runner/hellos.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::test {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

std::string frame(const std::string& payload) {
    std::string bytes;
    for (std::size_t i = 0; i < 4; ++i) bytes += static_cast<char>(payload.size() >> (8 * i));
    return bytes + payload;
}

class CoordinatorPort : public testing::Test {
protected:
    void start(StrangerLimits limits = {}) {
        Manifest manifest;
        manifest.config = {{"datasets", Json::array({{{"name", "one"}}})}};
        manifest.samples.push_back({0, "0", std::string(32, 'b'), Json(0), ""});
        manifest.batches = plan_batches(manifest.samples, 1, 1);
        CoordinatorOptions options;
        options.token = run_token;
        options.expected = expected_of(1, 2);
        RankContract contract = hello_of(1, 2, 0, 0).contract;
        contract.shared_dir = folder_.path();
        contract.master_port = 0;  // any
        auto server = CoordinatorServer::start(io_, std::move(manifest), contract, options, "127.0.0.1",
                                               {[](int, const std::string&) {}, [] {}}, {}, limits);
        ASSERT_TRUE(server) << server.error().message;
        server_ = std::move(*server);
    }

    tcp::socket connect() {
        tcp::socket socket(io_);
        socket.connect({asio::ip::address_v4::loopback(), server_->port()});
        return socket;
    }

    /// Until that holds; a deadline ends a test that would wait for ever.
    bool run_until(const std::function<bool()>& over) {
        io_.restart();
        while (!over() && io_.run_one_for(std::chrono::seconds(60)) > 0) continue;
        return over();
    }

    /// What comes first: something to read, or the end of the connection.
    std::string first_of(tcp::socket& socket) {
        std::string said(65'536, '\0');
        bool over = false;
        socket.async_read_some(asio::buffer(said), [&](const boost::system::error_code&, std::size_t got) {
            said.resize(got);
            over = true;
        });
        EXPECT_TRUE(run_until([&] { return over; }));
        return said;
    }

    bool is_closed(tcp::socket& socket) { return first_of(socket).empty(); }

    bool is_welcome(tcp::socket& socket) {
        asio::write(socket, asio::buffer(frame(encode_message(hello_of(1, 2, 0, 1)))));
        return first_of(socket).find("welcome") != std::string::npos;
    }

    TemporaryFolder folder_;
    asio::io_context io_;
    std::unique_ptr<CoordinatorServer> server_;
};

TEST_F(CoordinatorPort, IsThereForARankBesideAnyNumberOfIdleConnections) {
    start();
    std::vector<tcp::socket> idle;
    for (std::size_t i = 1; i <= 300; ++i) {
        idle.push_back(connect());
        ASSERT_TRUE(run_until([&] { return server_->connections() >= std::min<std::size_t>(i, 66); }));
    }
    tcp::socket rank = connect();
    EXPECT_TRUE(is_welcome(rank));
    EXPECT_TRUE(is_closed(idle.front())) << "the oldest goes";
    // 64, as many as there are ranks, and the one that is a rank's.
    EXPECT_TRUE(run_until([&] { return server_->connections() <= 67; }));
}

TEST_F(CoordinatorPort, ARankThatIsWelcomeIsNotDrivenOutByThoseThatComeLater) {
    start();
    tcp::socket rank = connect();
    ASSERT_TRUE(is_welcome(rank));
    std::vector<tcp::socket> idle;
    for (int i = 0; i < 200; ++i) idle.push_back(connect());
    EXPECT_TRUE(is_closed(idle.front()));
    asio::write(rank, asio::buffer(frame(encode_message(Want{1}))));
    EXPECT_NE(first_of(rank).find("lease"), std::string::npos);
}

TEST_F(CoordinatorPort, ALargeFrameBeforeHelloIsNotReadAndTheSameAfterwardsIs) {
    start();
    const std::string large(40'000, ' ');
    tcp::socket stranger = connect();
    asio::write(stranger, asio::buffer(frame(large).substr(0, 4)));
    EXPECT_TRUE(is_closed(stranger));
    tcp::socket rank = connect();
    ASSERT_TRUE(is_welcome(rank));
    asio::write(rank, asio::buffer(frame(encode_message(Want{1}) + large)));
    EXPECT_NE(first_of(rank).find("lease"), std::string::npos);
}

TEST_F(CoordinatorPort, WhoSaysNoHelloInTimeIsClosedHoweverSlowlyItSpeaks) {
    start({.beside_ranks = 64, .patience = 1, .frame = 1'000});
    tcp::socket silent = connect();
    tcp::socket slow = connect();
    asio::write(slow, asio::buffer(frame(std::string(900, '{')).substr(0, 500)));
    EXPECT_TRUE(is_closed(silent));
    EXPECT_TRUE(is_closed(slow));
    EXPECT_TRUE(run_until([&] { return server_->connections() == 0; }));
}

TEST_F(CoordinatorPort, AWrongTokenIsNoHello) {
    start({.beside_ranks = 64, .patience = 1, .frame = 32U << 10});
    Hello hello = hello_of(1, 2, 0, 1);
    hello.token = "guess";
    tcp::socket stranger = connect();
    asio::write(stranger, asio::buffer(frame(encode_message(hello))));
    EXPECT_NE(first_of(stranger).find("the token is not this run's"), std::string::npos);
    EXPECT_TRUE(is_closed(stranger));
}

}  // namespace
}  // namespace evaljob::test
