#include "net/http_server.hpp"

#include <chrono>
#include <memory>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

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

asio::awaitable<void> serve(beast::tcp_stream stream, HttpServer::Answer answer) {
    beast::flat_buffer buffer(most_request_bytes);
    boost::system::error_code error;
    for (;;) {
        http::request<http::empty_body> request;
        stream.expires_after(deadline);
        co_await http::async_read(stream, buffer, request, asio::redirect_error(asio::use_awaitable, error));
        if (error) break;
        auto response = respond(request, answer);
        co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, error));
        if (error || !response.keep_alive()) break;
    }
    stream.close();
}

asio::awaitable<void> accept(asio::ip::tcp::acceptor& acceptor, HttpServer::Answer answer) {
    boost::system::error_code error;
    for (;;) {
        auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
        if (!acceptor.is_open()) co_return;
        if (error) continue;
        asio::co_spawn(acceptor.get_executor(), serve(beast::tcp_stream(std::move(socket)), answer), asio::detached);
    }
}

}  // namespace

HttpServer::HttpServer(asio::io_context& io, Answer answer) : io_(io), acceptor_(io), answer_(std::move(answer)) {}

Result<void> HttpServer::listen(const std::string& address, std::uint16_t port, const std::string& mend) {
    if (auto listening = listen_on(acceptor_, address, port, mend); !listening) return listening;
    asio::co_spawn(io_, accept(acceptor_, answer_), asio::detached);
    return {};
}

std::uint16_t HttpServer::port() const { return acceptor_.local_endpoint().port(); }

HttpAnswer no_such_path(const std::string& those_that_are) {
    return {404, "{\"error\":\"there is only " + those_that_are + "\"}\n"};
}

}  // namespace evaljob
