// One connection to a server, directly or through a proxy, and one request at a time on it. Thread rule: the
// io_context's one thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>  // before Asio, for GCC 12 with Boost 1.74

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/ssl.hpp>

#include "evaljob-runner/engine/openai/destination.hpp"
#include "evaljob-runner/engine/openai/keeping.hpp"
#include "evaljob-runner/engine/openai/verdict.hpp"

namespace evaljob::openai {

using HttpRequest = boost::beast::http::request<boost::beast::http::span_body<const char>>;

Exchange failed_exchange(Exchange::Kind kind, const std::string& why);

/// Trusts the system's authorities, and those of SSL_CERT_FILE. They are read only where they are `needed`: it takes
/// time.
boost::asio::ssl::context client_tls(bool needed);

struct Conversation {
    Exchange exchange;
    bool heard_anything = false;
    AnswerEnd end;
};

class Connection {
public:
    using Time = std::chrono::steady_clock::time_point;

    Connection(boost::asio::io_context& io, boost::asio::ssl::context& tls)
        : io_(io), stream_(boost::beast::tcp_stream(io), tls) {}

    /// Nothing when it is there, else why it is not.
    boost::asio::awaitable<std::optional<Exchange>> open(const Destination& destination, Time until);

    /// `heard` is called for each part of the answer. Both must outlive the conversation.
    boost::asio::awaitable<Conversation> converse(const HttpRequest& request, Time until,
                                                  const std::function<void()>& heard);

    bool was_used() const { return was_used_; }

    /// What there is to read, without waiting.
    Unasked look();

    /// Ends a conversation that is under way: it is Lost, for that reason.
    void end(const std::string& why);

private:
    template <class Stream>
    boost::asio::awaitable<void> converse_on(Stream& stream, const HttpRequest& request,
                                             const std::function<void()>& heard, Conversation& talk);
    template <class Stream>
    boost::asio::awaitable<boost::system::error_code> read_answer(Stream& stream, const std::function<void()>& heard,
                                                                  Conversation& talk);
    boost::asio::awaitable<boost::system::error_code> connect(const std::string& host, const std::string& port,
                                                              Time until);
    boost::asio::awaitable<std::optional<Exchange>> open_tunnel(const Destination& destination);
    boost::asio::awaitable<boost::system::error_code> shake_hands(const std::string& host);
    boost::beast::tcp_stream& tcp() { return boost::beast::get_lowest_layer(stream_); }

    boost::asio::io_context& io_;
    boost::beast::ssl_stream<boost::beast::tcp_stream> stream_;  // without TLS the outer layer is not used
    boost::beast::flat_buffer buffer_;
    bool tls_ = false;
    bool was_used_ = false;
    std::string ended_;  // why
};

}  // namespace evaljob::openai
