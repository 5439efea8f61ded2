// Opening a listening socket, with errors a person can act on.
#pragma once

#include <cstdint>
#include <string>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "api/result.hpp"

namespace evaljob {

/// `address` is a literal one; empty: every address of the machine. Fails with PortInUse or CannotListen, naming
/// address and port; `mend`: what to do about a port that is in use.
inline Result<void> listen_on(boost::asio::ip::tcp::acceptor& acceptor, const std::string& address, std::uint16_t port,
                              const std::string& mend) {
    namespace asio = boost::asio;
    boost::system::error_code error;
    const auto parsed =
        address.empty() ? asio::ip::address(asio::ip::address_v4::any()) : asio::ip::make_address(address, error);
    const asio::ip::tcp::endpoint endpoint(parsed, port);
    if (!error) acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (!error) return {};
    const std::string what =
        "cannot listen on " + (address.empty() ? "*" : address) + ":" + std::to_string(port) + ": " + error.message();
    // Whoever listens there does not leave because we come again.
    if (error == asio::error::address_in_use) return fail("PortInUse", what + "; " + mend);
    return fail("CannotListen", what, true);
}

}  // namespace evaljob
