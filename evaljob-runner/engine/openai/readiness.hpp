// Waits until a server listens. Where it lists its models, the one that is wanted must be among them.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>  // before Asio, for GCC 12 with Boost 1.74

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "evaljob-runner/engine/openai/http_client.hpp"
#include "evaljob-runner/engine/openai/verdict.hpp"

namespace evaljob::openai {

struct Readiness {
    std::string owner;    // what the server says of itself: "vllm"; may be empty
    std::string warning;  // why it is not known whether it has the model; empty: it has
};

/// Pure: what one answer to GET /models means. An Error with `retry`: not ready yet. Fails with BadInput when it is
/// another server than the EvalJob says, or lists all its models and has not this one.
Result<Readiness> read_readiness(const Exchange& exchange, const Terms& terms);

/// `waits` is told what is waited for, and nothing at last. Fails with NotReady when the server is not ready in time:
/// whoever starts this again would only wait as long again.
boost::asio::awaitable<Result<Readiness>> wait_until_ready(boost::asio::io_context& io, HttpClient& client, Terms terms,
                                                           std::chrono::seconds patience,
                                                           std::function<void(std::string)> waits);

}  // namespace evaljob::openai
