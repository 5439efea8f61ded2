// HTTP to one server, over connections that are kept; https with the server's certificate checked. Thread rule: the
// io_context's one thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>  // before Asio, for GCC 12 with Boost 1.74

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "evaljob-runner/engine/openai/url.hpp"
#include "evaljob-runner/engine/openai/verdict.hpp"

namespace evaljob::openai {

class HttpClient {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// `key`: the bearer token; empty: none.
    HttpClient(boost::asio::io_context& io, Url url, const std::string& key);
    ~HttpClient();

    /// `path` goes behind the URL's: "/models". Never fails but by what the Exchange says. `body` must outlive the
    /// request.
    boost::asio::awaitable<Exchange> get(std::string path, Time until);
    boost::asio::awaitable<Exchange> post(std::string path, std::string_view body, Time until);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace evaljob::openai
