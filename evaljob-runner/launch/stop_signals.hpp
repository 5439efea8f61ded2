// SIGTERM and SIGINT, answered whatever the process is doing: a reader that does not return (a volume that hangs, a
// large dataset) holds up the io_context, and with it everything that could stop. Also the limit of open files.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <thread>
#include <utility>  // before Asio, for GCC 12 with Boost 1.74

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace evaljob {

class StopSignals {
public:
    /// `stop` is called on `io`'s thread, once. When that thread does not come to it within `patience`, the process
    /// ends as it stands, with exit_code::terminated: what counts is durable, and children die with it.
    StopSignals(boost::asio::io_context& io, std::function<void(int signal_number)> stop,
                std::chrono::milliseconds patience = std::chrono::seconds(5));
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

private:
    void await();

    boost::asio::io_context& io_;
    std::function<void(int)> stop_;
    std::chrono::milliseconds patience_;
    boost::asio::io_context own_;
    boost::asio::signal_set signals_;
    boost::asio::steady_timer timer_;
    std::atomic<bool> answered_ = false;
    std::thread thread_;
};

/// As many as the system lets this process have. How many that is.
std::size_t raise_descriptor_limit();

}  // namespace evaljob
