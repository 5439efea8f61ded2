#include "evaljob-runner/wire/http_status.hpp"

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

#include "evaljob-runner/wire/listen.hpp"

namespace evaljob {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

constexpr std::chrono::seconds deadline{10};

http::response<http::string_body> respond(const http::request<http::empty_body>& request,
                                          const HttpStatus::Answer& answer) {
    http::response<http::string_body> response(http::status::ok, request.version());
    std::string body;
    if (request.method() == http::verb::get) body = answer(std::string(request.target()));
    if (body.empty()) {
        response.result(http::status::not_found);
        body = "{\"error\":\"there is only GET /progress\"}\n";
    }
    response.set(http::field::content_type, "application/json");
    response.keep_alive(request.keep_alive());
    response.body() = std::move(body);
    response.prepare_payload();
    return response;
}

asio::awaitable<void> serve(beast::tcp_stream stream, HttpStatus::Answer answer) {
    beast::flat_buffer buffer(16'384);
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

asio::awaitable<void> accept(asio::ip::tcp::acceptor& acceptor, HttpStatus::Answer answer) {
    boost::system::error_code error;
    for (;;) {
        auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
        if (!acceptor.is_open()) co_return;
        if (error) continue;
        asio::co_spawn(acceptor.get_executor(), serve(beast::tcp_stream(std::move(socket)), answer), asio::detached);
    }
}

}  // namespace

HttpStatus::HttpStatus(asio::io_context& io, Answer answer) : io_(io), acceptor_(io), answer_(std::move(answer)) {}

Result<void> HttpStatus::listen(const std::string& address, std::uint16_t port) {
    if (auto listening = listen_on(acceptor_, address, port); !listening) return listening;
    asio::co_spawn(io_, accept(acceptor_, answer_), asio::detached);
    return {};
}

void HttpStatus::stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
}

}  // namespace evaljob
