#include "evaljob-runner/engine/openai/http_client.hpp"

#include <algorithm>
#include <vector>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/ssl.hpp>

#include "evaljob-runner/engine/engine_text.hpp"

namespace evaljob::openai {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;
using Kind = Exchange::Kind;
using Parser = http::response_parser<http::string_body>;
using Request = http::request<http::span_body<const char>>;

namespace {

constexpr std::chrono::seconds connect_timeout{10};
constexpr std::uint32_t most_header_bytes = 64U << 10U;

/// Without TLS the outer layer is not used.
struct Connection {
    Connection(asio::io_context& io, asio::ssl::context& tls) : stream(beast::tcp_stream(io), tls) {}

    beast::tcp_stream& tcp() { return beast::get_lowest_layer(stream); }

    beast::ssl_stream<beast::tcp_stream> stream;
    beast::flat_buffer buffer;
    bool used = false;
};
using ConnectionPtr = std::unique_ptr<Connection>;

Exchange failed(Kind kind, const std::string& why) {
    Exchange exchange;
    exchange.kind = kind;
    exchange.why = why;
    return exchange;
}

Exchange not_connected(const ErrorCode& error) {
    const bool tls = error.category() == asio::error::get_ssl_category();
    return failed(tls ? Kind::NotTrusted : Kind::NoConnection, error.message());
}

Exchange not_answered(const ErrorCode& error) {
    if (error == beast::error::timeout) return failed(Kind::Late, error.message());
    if (error == http::error::body_limit) return failed(Kind::TooLong, error.message());
    if (error == http::error::end_of_stream || error == http::error::partial_message)
        return failed(Kind::Lost, "it closed the connection before its answer was whole");
    return failed(Kind::Lost, error.message());
}

Exchange answer_of(Parser& parser) {
    auto& response = parser.get();
    Exchange exchange;
    exchange.kind = Kind::Answered;
    exchange.status = static_cast<int>(response.result_int());
    exchange.retry_after = std::string(response[http::field::retry_after]);
    exchange.location = std::string(response[http::field::location]);
    exchange.body = std::move(response.body());
    return exchange;
}

template <class Stream>
asio::awaitable<ErrorCode> converse(Stream& stream, beast::flat_buffer& buffer, const Request& request,
                                    Parser& parser) {
    ErrorCode sent;
    co_await http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, sent));
    if (sent == beast::error::timeout) co_return sent;
    // One that refuses may do so before it has read everything.
    ErrorCode error;
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    co_return error&& sent ? sent : error;
}

}  // namespace

struct HttpClient::State {
    State(asio::io_context& context, Url where, const std::string& key)
        : io(context), url(std::move(where)), authorization(key.empty() ? "" : "Bearer " + key) {
        tls.set_default_verify_paths();  // SSL_CERT_FILE and SSL_CERT_DIR among them
        tls.set_verify_mode(asio::ssl::verify_peer);
        ::SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
    }

    asio::io_context& io;
    Url url;
    std::string authorization;
    asio::ssl::context tls{asio::ssl::context::tls_client};
    std::vector<ConnectionPtr> idle;

    asio::awaitable<ErrorCode> shake_hands(Connection& connection) {
        ErrorCode error;
        connection.stream.set_verify_callback(asio::ssl::host_name_verification(url.host));
        asio::ip::make_address(url.host, error);
        const bool has_name = bool(error);  // an address is not told: RFC 6066
        if (has_name && ::SSL_set_tlsext_host_name(connection.stream.native_handle(), url.host.c_str()) != 1)
            co_return asio::error::make_error_code(asio::error::no_memory);
        error.clear();
        co_await connection.stream.async_handshake(asio::ssl::stream_base::client,
                                                   asio::redirect_error(asio::use_awaitable, error));
        co_return error;
    }

    asio::awaitable<ErrorCode> open(Connection& connection, Time until) {
        ErrorCode error;
        asio::ip::tcp::resolver resolver(io);
        const auto places =
            co_await resolver.async_resolve(url.host, url.port, asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return error;
        connection.tcp().expires_at(std::min(until, std::chrono::steady_clock::now() + connect_timeout));
        co_await connection.tcp().async_connect(places, asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return error;
        connection.tcp().socket().set_option(asio::ip::tcp::no_delay(true), error);
        if (url.tls) error = co_await shake_hands(connection);
        co_return error;
    }

    Request request_for(http::verb verb, const std::string& path, std::string_view body) const {
        Request request(verb, url.path + path, 11);
        request.set(http::field::host, host_header(url));
        request.set(http::field::user_agent, "evaljob");
        request.set(http::field::accept, "application/json");
        if (!authorization.empty()) request.set(http::field::authorization, authorization);
        if (verb == http::verb::post) {
            request.set(http::field::content_type, "application/json");
            request.body() = beast::span<const char>(body.data(), body.size());
            request.prepare_payload();
        }
        return request;
    }

    asio::awaitable<Exchange> send(http::verb verb, std::string path, std::string_view body, Time until) {
        const Request request = request_for(verb, path, body);
        for (;;) {
            ConnectionPtr connection;
            if (idle.empty()) {
                connection = std::make_unique<Connection>(io, tls);
                const ErrorCode error = co_await open(*connection, until);
                if (error) co_return not_connected(error);
            } else {
                connection = std::move(idle.back());
                idle.pop_back();
            }
            Parser parser;
            parser.body_limit(max_answer_bytes);
            parser.header_limit(most_header_bytes);
            connection->tcp().expires_at(until);
            ErrorCode error;
            if (url.tls)
                error = co_await converse(connection->stream, connection->buffer, request, parser);
            else
                error = co_await converse(connection->tcp(), connection->buffer, request, parser);
            // A kept connection that the server has closed meanwhile tells nothing; a new one does.
            if (error && connection->used && !parser.got_some() && error != beast::error::timeout) continue;
            if (error) co_return not_answered(error);
            connection->tcp().expires_never();
            connection->used = true;
            if (parser.get().keep_alive()) idle.push_back(std::move(connection));
            co_return answer_of(parser);
        }
    }
};

HttpClient::HttpClient(asio::io_context& io, Url url, const std::string& key)
    : state_(std::make_unique<State>(io, std::move(url), key)) {}

HttpClient::~HttpClient() = default;

asio::awaitable<Exchange> HttpClient::get(std::string path, Time until) {
    return state_->send(http::verb::get, std::move(path), "", until);
}

asio::awaitable<Exchange> HttpClient::post(std::string path, std::string_view body, Time until) {
    return state_->send(http::verb::post, std::move(path), body, until);
}

}  // namespace evaljob::openai
