// Taking connections for as long as the acceptor is open, also while the process has no descriptor left for one.
// Thread rule: the acceptor's io_context's one thread.
#pragma once

#include <functional>
#include <string>
#include <utility>  // Boost 1.74's awaitable.hpp needs it and does not say so

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace evaljob {

struct Accepting {
    std::function<void(boost::asio::ip::tcp::socket)> take;
    /// None could be taken, for want of descriptors or memory: it is tried again a little later, and until then nothing
    /// spins. Whoever has a connection to spare closes it here.
    std::function<void(const std::string& why)> refused;
};

/// `acceptor` must outlive the coroutine, or be closed.
boost::asio::awaitable<void> accept_connections(boost::asio::ip::tcp::acceptor& acceptor, Accepting accepting);

}  // namespace evaljob
