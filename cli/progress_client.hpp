// Asks node 0's runner for its progress over HTTP, one request at a time. Unreachable is not an error: the last answer
// stays. Thread rule: the io_context's one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>  // before Asio, for GCC 12 with Boost 1.74

#include <boost/asio/io_context.hpp>

namespace evaljob {

struct ProgressAnswer {
    std::int64_t samples_done = 0;
    std::int64_t samples_total = 0;
    double samples_per_second = 0;
    double eta_seconds = 0;
    std::string slowest_rank;
    bool rendezvous_ready = false;
    int ranks_connected = 0;
    std::int64_t idle_seconds = 0;
    std::int32_t attempt = 0;
    std::int64_t time = 0;  // Unix seconds, when it came
};

class ProgressClient {
public:
    explicit ProgressClient(boost::asio::io_context& io);
    ~ProgressClient();

    /// Starts a request, unless one is under way.
    void fetch(const std::string& address, std::uint16_t port);
    const std::optional<ProgressAnswer>& latest() const;
    void stop();

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace evaljob
