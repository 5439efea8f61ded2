// Waits until a server lists its models, and the one that is wanted is among them.
#pragma once

#include <chrono>
#include <string>
#include <utility>  // before Asio, for GCC 12 with Boost 1.74

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "evaljob-runner/engine/openai/http_client.hpp"
#include "evaljob-runner/engine/openai/verdict.hpp"

namespace evaljob::openai {

/// What the server says of itself: "vllm"; may be empty. Fails with BadInput when it is another server than the EvalJob
/// says, or has not the model; with ServerFailed when it is not ready in time.
boost::asio::awaitable<Result<std::string>> wait_until_ready(boost::asio::io_context& io, HttpClient& client,
                                                             Terms terms, std::chrono::seconds patience);

/// Pure: what one answer to GET /models means. An Error with `retry`: not ready yet.
Result<std::string> read_readiness(const Exchange& exchange, const Terms& terms);

}  // namespace evaljob::openai
