#include "evaljob-runner/launch/stop_signals.hpp"

#include <signal.h>
#include <sys/resource.h>

#include <cstdlib>

#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>

#include "api/exit_code.hpp"

namespace evaljob {

namespace asio = boost::asio;

StopSignals::StopSignals(asio::io_context& io, std::function<void(int)> stop, std::chrono::milliseconds patience)
    : io_(io),
      stop_(std::move(stop)),
      patience_(patience),
      signals_(own_, SIGTERM, SIGINT),
      timer_(own_),
      thread_([this] {
          await();
          own_.run();
      }) {}

StopSignals::~StopSignals() {
    own_.stop();
    thread_.join();
}

void StopSignals::await() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal_number) {
        if (error) return;
        asio::post(io_, [this, signal_number] {
            answered_ = true;
            stop_(signal_number);
        });
        timer_.expires_after(patience_);
        timer_.async_wait([this, signal_number](const boost::system::error_code& cancelled) {
            if (cancelled || answered_) return;
            spdlog::warn("signal {}: a reader does not return; ending as it is", signal_number);
            spdlog::default_logger()->flush();
            std::_Exit(exit_code::terminated);
        });
    });
}

std::size_t raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

}  // namespace evaljob
