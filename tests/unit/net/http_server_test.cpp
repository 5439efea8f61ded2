// The small HTTP server under clients that want more than an answer.
#include "net/http_server.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

namespace evaljob::test {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

class HttpServerTest : public testing::Test {
protected:
    HttpServerTest() {
        const auto listening = server_.listen("127.0.0.1", 0, "");
        EXPECT_TRUE(listening.has_value());
    }

    tcp::socket client() {
        tcp::socket socket(io_);
        socket.connect({asio::ip::address_v4::loopback(), server_.port()});
        return socket;
    }

    /// Everything that the server does meanwhile; a deadline ends a test that would wait for ever.
    void run_until(const std::function<bool()>& over) {
        io_.restart();
        while (!over() && io_.run_one_for(std::chrono::seconds(60)) > 0) continue;
    }

    /// What the server says until it closes the connection.
    std::string all_of(tcp::socket& socket) {
        std::string said;
        bool over = false;
        asio::async_read(socket, asio::dynamic_buffer(said),
                         [&](const boost::system::error_code&, std::size_t) { over = true; });
        run_until([&] { return over; });
        EXPECT_TRUE(over);
        return said;
    }

    asio::io_context io_;
    HttpServer server_{io_, [](const std::string& path) { return HttpAnswer{200, path}; }};
};

constexpr const char* question = "GET /progress HTTP/1.1\r\nConnection: close\r\n\r\n";

TEST_F(HttpServerTest, AThousandIdleConnectionsLeaveOneToBeAnswered) {
    std::vector<tcp::socket> idle;
    for (int i = 0; i < 1000; ++i) {
        idle.push_back(client());
        if (i % 100 == 99) io_.poll();  // as many as the system keeps waiting
        io_.restart();
    }
    tcp::socket asks = client();
    asio::write(asks, asio::buffer(std::string(question)));
    EXPECT_NE(all_of(asks).find("/progress"), std::string::npos);
    // The first was closed to make room; nobody waits for its deadline.
    EXPECT_EQ(all_of(idle.front()), "");
}

TEST_F(HttpServerTest, WithoutADescriptorLeftItWaitsAndGoesOn) {
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    tcp::socket first = client();
    tcp::socket second = client();
    asio::write(second, asio::buffer(std::string(question)));
    const rlimit none{static_cast<rlim_t>(second.native_handle()) + 1, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    std::size_t turns = 0;
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(250);
    io_.restart();
    while (std::chrono::steady_clock::now() < end) turns += io_.run_one_until(end);
    ::setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_LT(turns, 20U) << "it spins";
    EXPECT_NE(all_of(second).find("/progress"), std::string::npos);
}

TEST_F(HttpServerTest, ARequestOfManyHeadersIsNotRead) {
    tcp::socket asks = client();
    std::string request = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 2000; ++i) request += "X-Header-" + std::to_string(i) + ": " + std::string(100, 'x') + "\r\n";
    boost::system::error_code ignored;
    asio::async_write(asks, asio::buffer(request), [](const boost::system::error_code&, std::size_t) {});
    EXPECT_EQ(all_of(asks), "");
}

}  // namespace
}  // namespace evaljob::test
