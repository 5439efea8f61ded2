#include "net/http_server.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "net/accept.hpp"
#include "net/listen.hpp"

namespace evaljob {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

constexpr std::chrono::seconds deadline{10};
constexpr std::size_t most_request_bytes = 16U << 10U;

http::response<http::string_body> respond(const http::request<http::empty_body>& request,
                                          const HttpServer::Answer& answer) {
    HttpAnswer answered{405, "{\"error\":\"there is only GET\"}\n"};
    if (request.method() == http::verb::get) answered = answer(std::string(request.target()));
    http::response<http::string_body> response(static_cast<http::status>(answered.status), request.version());
    response.set(http::field::content_type, answered.content_type);
    response.keep_alive(request.keep_alive());
    response.body() = std::move(answered.body);
    response.prepare_payload();
    return response;
}

/// Until the client has enough, is too slow, or asks for something that it may not. A close from elsewhere ends it,
/// too.
asio::awaitable<void> serve(beast::tcp_stream& stream, const HttpServer::Answer& answer) {
    beast::flat_buffer buffer(most_request_bytes);
    boost::system::error_code error;
    for (;;) {
        http::request<http::empty_body> request;
        stream.expires_after(deadline);  // for the whole request, and the answer's way out
        co_await http::async_read(stream, buffer, request, asio::redirect_error(asio::use_awaitable, error));
        if (error) break;
        auto response = respond(request, answer);
        co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, error));
        if (error || !response.keep_alive()) break;
    }
    stream.close();
}

}  // namespace

/// So many at a time: anybody may connect. One more, and the one that came first goes: whoever has something to ask
/// does so at once.
struct HttpServer::Connections {
    std::map<std::uint64_t, std::shared_ptr<beast::tcp_stream>> open;
    std::uint64_t next = 0;

    void close_first() {
        if (open.empty()) return;
        open.begin()->second->close();
        open.erase(open.begin());
    }
};

namespace {

asio::awaitable<void> serve_one(std::shared_ptr<HttpServer::Connections> connections, std::uint64_t number,
                                std::shared_ptr<beast::tcp_stream> stream, HttpServer::Answer answer) {
    co_await serve(*stream, answer);
    connections->open.erase(number);
}

}  // namespace

HttpServer::HttpServer(asio::io_context& io, Answer answer)
    : io_(io), acceptor_(io), answer_(std::move(answer)), connections_(std::make_shared<Connections>()) {}

Result<void> HttpServer::listen(const std::string& address, std::uint16_t port, const std::string& mend) {
    if (auto listening = listen_on(acceptor_, address, port, mend); !listening) return listening;
    const auto take = [this](asio::ip::tcp::socket socket) {
        if (connections_->open.size() >= most_connections) connections_->close_first();
        auto stream = std::make_shared<beast::tcp_stream>(std::move(socket));
        const std::uint64_t number = connections_->next++;
        connections_->open.emplace(number, stream);
        asio::co_spawn(io_, serve_one(connections_, number, std::move(stream), answer_), asio::detached);
    };
    const auto refused = [this](const std::string&) { connections_->close_first(); };
    asio::co_spawn(io_, accept_connections(acceptor_, {take, refused}), asio::detached);
    return {};
}

std::uint16_t HttpServer::port() const { return acceptor_.local_endpoint().port(); }

HttpAnswer no_such_path(const std::string& those_that_are) {
    return {404, "{\"error\":\"there is only " + those_that_are + "\"}\n"};
}

}  // namespace evaljob
