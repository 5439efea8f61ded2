#include "evaljob-runner/engine/openai/connection.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string_view>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "evaljob-runner/engine/engine_text.hpp"
#include "evaljob-runner/engine/openai/content_encoding.hpp"
#include "net/answer_header.hpp"

namespace evaljob::openai {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;
using Kind = Exchange::Kind;
using Parser = std::optional<http::response_parser<http::string_body>>;

namespace {

constexpr std::chrono::seconds connect_timeout{10};

Exchange not_connected(const ErrorCode& error) {
    const bool tls = error.category() == asio::error::get_ssl_category();
    return failed_exchange(tls ? Kind::NotTrusted : Kind::NoConnection, error.message());
}

Exchange not_answered(const ErrorCode& error) {
    if (error == beast::error::timeout) return failed_exchange(Kind::Late, error.message());
    if (error == http::error::body_limit) return failed_exchange(Kind::TooLong, error.message());
    if (error == http::error::end_of_stream || error == http::error::partial_message)
        return failed_exchange(Kind::Lost, "it closed the connection before its answer was whole");
    return failed_exchange(Kind::Lost, error.message());
}

/// The body as it was before it was compressed. A refusal whose body cannot be read is still that refusal.
Exchange decoded(Exchange exchange, const std::string& encoding) {
    if (exchange.body.empty()) return exchange;
    auto body = decode_content(encoding, std::move(exchange.body), max_answer_bytes);
    if (body) {
        exchange.body = std::move(*body);
        return exchange;
    }
    if (exchange.status == 200)
        return failed_exchange(body.error().reason == "TooLarge" ? Kind::TooLong : Kind::Garbled, body.error().message);
    exchange.body = body.error().message;
    return exchange;
}

/// A peer that is gone without a word (its machine lost power, its network was cut) is noticed within 40 s, however
/// long an answer may take.
void notice_lost_peers(int socket) {
    const auto set = [&](int level, int option, int value) {
        ::setsockopt(socket, level, option, &value, sizeof value);
    };
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 20);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
    set(IPPROTO_TCP, TCP_KEEPCNT, 4);
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, 40'000);
}

std::string host_and_port(const std::string& host, const std::string& port) {
    return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
}

}  // namespace

Exchange failed_exchange(Kind kind, const std::string& why) {
    Exchange exchange;
    exchange.kind = kind;
    exchange.why = why;
    return exchange;
}

asio::ssl::context client_tls(bool needed) {
    asio::ssl::context tls(asio::ssl::context::tls_client);
    if (!needed) return tls;
    tls.set_default_verify_paths();  // SSL_CERT_FILE and SSL_CERT_DIR among them
    tls.set_verify_mode(asio::ssl::verify_peer);
    ::SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
    return tls;
}

asio::awaitable<ErrorCode> Connection::connect(const std::string& host, const std::string& port, Time until) {
    ErrorCode error;
    asio::ip::tcp::resolver resolver(io_);
    const auto places = co_await resolver.async_resolve(host, port, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return error;
    tcp().expires_at(std::min(until, std::chrono::steady_clock::now() + connect_timeout));
    co_await tcp().async_connect(places, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return error;
    ErrorCode ignored;
    tcp().socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    notice_lost_peers(tcp().socket().native_handle());
    co_return error;
}

asio::awaitable<ErrorCode> Connection::shake_hands(const std::string& host) {
    ErrorCode error;
    stream_.set_verify_callback(asio::ssl::host_name_verification(host));
    asio::ip::make_address(host, error);
    const bool has_name = bool(error);  // an address is not told: RFC 6066
    if (has_name && ::SSL_set_tlsext_host_name(stream_.native_handle(), host.c_str()) != 1)
        co_return asio::error::make_error_code(asio::error::no_memory);
    error.clear();
    co_await stream_.async_handshake(asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, error));
    co_return error;
}

/// Nothing of what is meant for the server is told to the proxy.
asio::awaitable<std::optional<Exchange>> Connection::open_tunnel(const Destination& destination) {
    const std::string server = host_and_port(destination.url.host, destination.url.port);
    const std::string proxy = "the proxy " + host_and_port(destination.proxy->host, destination.proxy->port);
    http::request<http::empty_body> request(http::verb::connect, server, 11);
    request.set(http::field::host, server);
    if (const std::string who = proxy_authorization(*destination.proxy); !who.empty())
        request.set(http::field::proxy_authorization, who);
    ErrorCode error;
    co_await http::async_write(tcp(), request, asio::redirect_error(asio::use_awaitable, error));
    std::optional<http::response_parser<http::empty_body>> parser;
    AnswerLimits limits;
    limits.no_body = true;
    if (!error) error = co_await read_answer_header(tcp(), buffer_, parser, limits);
    if (error) co_return failed_exchange(Kind::NoConnection, proxy + ": " + error.message());
    const int status = static_cast<int>(parser->get().result_int());
    if (status / 100 != 2) {
        Exchange refused;
        refused.kind = Kind::Answered;
        refused.status = status;
        refused.body = proxy + " does not connect to " + server;
        co_return refused;
    }
    if (buffer_.size() > 0)
        co_return failed_exchange(Kind::NoConnection, proxy + " says more than that the connection is there");
    co_return std::nullopt;
}

asio::awaitable<std::optional<Exchange>> Connection::open(const Destination& destination, Time until) {
    const auto& proxy = destination.proxy;
    tls_ = destination.url.tls;
    const std::string host = proxy ? proxy->host : destination.url.host;
    const std::string port = proxy ? proxy->port : destination.url.port;
    ErrorCode error = co_await connect(host, port, until);
    if (error && proxy)
        co_return failed_exchange(Kind::NoConnection,
                                  "the proxy " + host_and_port(host, port) + ": " + error.message());
    if (error) co_return not_connected(error);
    if (proxy && tls_) {
        auto refused = co_await open_tunnel(destination);
        if (refused) co_return refused;
    }
    if (tls_) error = co_await shake_hands(destination.url.host);
    if (error) co_return not_connected(error);
    co_return std::nullopt;
}

template <class Stream>
asio::awaitable<ErrorCode> Connection::read_answer(Stream& stream, const std::function<void()>& heard,
                                                   Conversation& talk) {
    Parser parser;
    AnswerLimits limits;
    limits.body_bytes = max_answer_bytes;
    ErrorCode error = co_await read_answer_header(stream, buffer_, parser, limits);
    talk.heard_anything = parser->got_some();
    if (error) co_return error;
    heard();
    // What stands in trailers, behind the body, is not looked at.
    auto& response = parser->get();
    Exchange exchange;
    exchange.kind = Kind::Answered;
    exchange.status = static_cast<int>(response.result_int());
    exchange.retry_after = std::string(response[http::field::retry_after]);
    exchange.location = std::string(response[http::field::location]);
    const std::string encoding(response[http::field::content_encoding]);
    const auto transfer = response[http::field::transfer_encoding];
    if (!transfer.empty() && !beast::iequals(transfer, "chunked"))
        co_return make_error_code(http::error::bad_transfer_encoding);
    while (!parser->is_done()) {
        co_await http::async_read_some(stream, buffer_, *parser, asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return error;
        heard();
    }
    talk.end.keep_alive = parser->keep_alive();
    talk.end.left_over = buffer_.size() > 0;
    exchange.body = std::move(response.body());
    talk.exchange = decoded(std::move(exchange), encoding);
    co_return error;
}

template <class Stream>
asio::awaitable<void> Connection::converse_on(Stream& stream, const HttpRequest& request,
                                              const std::function<void()>& heard, Conversation& talk) {
    ErrorCode sent;
    co_await http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, sent));
    talk.end.request_sent = !sent;
    // One that refuses may do so before it has read everything. On a kept connection that may be about the one before.
    ErrorCode error = sent;
    if (!sent || (!was_used_ && sent != beast::error::timeout)) error = co_await read_answer(stream, heard, talk);
    was_used_ = true;
    if (error) talk.exchange = not_answered(sent ? sent : error);
}

asio::awaitable<Conversation> Connection::converse(const HttpRequest& request, Time until,
                                                   const std::function<void()>& heard) {
    Conversation talk;
    tcp().expires_at(until);
    if (tls_)
        co_await converse_on(stream_, request, heard, talk);
    else
        co_await converse_on(tcp(), request, heard, talk);
    tcp().expires_never();
    if (tls_ && ::SSL_has_pending(stream_.native_handle()) != 0) talk.end.left_over = true;
    if (!ended_.empty()) talk.exchange = failed_exchange(Kind::Lost, ended_);
    co_return talk;
}

Unasked Connection::look() {
    if (buffer_.size() > 0) return Unasked::Answer;
    std::array<char, 12> bytes{};
    const auto got = ::recv(tcp().socket().native_handle(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Unasked::Nothing : Unasked::End;
    if (got == 0 || tls_) return Unasked::End;
    // The one thing that a server may say unasked: RFC 9110, 15.5.9.
    const std::string_view said(bytes.data(), static_cast<std::size_t>(got));
    return said == "HTTP/1.1 408" || said == "HTTP/1.0 408" ? Unasked::End : Unasked::Answer;
}

void Connection::end(const std::string& why) {
    ended_ = why;
    tcp().cancel();
}

}  // namespace evaljob::openai
