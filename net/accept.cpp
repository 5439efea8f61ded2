#include "net/accept.hpp"

#include <chrono>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace evaljob {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds pause{100};

}  // namespace

asio::awaitable<void> accept_connections(asio::ip::tcp::acceptor& acceptor, Accepting accepting) {
    asio::steady_timer timer(acceptor.get_executor());
    for (;;) {
        boost::system::error_code error;
        auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
        if (error == asio::error::operation_aborted || !acceptor.is_open()) co_return;
        if (!error) {
            accepting.take(std::move(socket));
            continue;
        }
        if (error == asio::error::connection_aborted) continue;  // who knocked has left
        accepting.refused(error.message());
        timer.expires_after(pause);
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
}

}  // namespace evaljob
