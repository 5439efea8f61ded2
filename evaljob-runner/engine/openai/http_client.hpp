// HTTP to one server, over connections that are kept as long as they may be (keeping.hpp); https with the server's
// certificate checked. No key ends in what it gives back. Thread rule: the io_context's one thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>  // before Asio, for GCC 12 with Boost 1.74

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "evaljob-runner/engine/openai/destination.hpp"
#include "evaljob-runner/engine/openai/keeping.hpp"
#include "evaljob-runner/engine/openai/silence.hpp"
#include "evaljob-runner/engine/openai/verdict.hpp"

namespace evaljob::openai {

struct HttpPace {
    std::chrono::milliseconds rest = Keeping::default_rest;  // of a connection between two requests
    std::chrono::milliseconds look_every{1'000};             // for requests that nothing will come of
    SilenceBounds silence;
};

class HttpClient {
public:
    using Time = std::chrono::steady_clock::time_point;

    HttpClient(boost::asio::io_context& io, Destination destination, HttpPace pace = {});
    ~HttpClient();

    /// `path` goes behind the URL's: "/models". Never fails but by what the Exchange says. `body` must outlive the
    /// request.
    boost::asio::awaitable<Exchange> get(std::string path, Time until);
    boost::asio::awaitable<Exchange> post(std::string path, std::string_view body, Time until);

private:
    struct State;
    std::shared_ptr<State> state_;  // outlives us in what is under way
};

}  // namespace evaljob::openai
