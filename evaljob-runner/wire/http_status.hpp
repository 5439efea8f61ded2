// A small HTTP server for one node's status: GET /progress. Thread rule: the io_context's one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "api/result.hpp"

namespace evaljob {

class HttpStatus {
public:
    /// `answer` gives the body (JSON) for a path, or an empty string for 404.
    using Answer = std::function<std::string(const std::string& path)>;

    HttpStatus(boost::asio::io_context& io, Answer answer);
    /// Fails with PortInUse or CannotListen, naming address and port.
    Result<void> listen(const std::string& address, std::uint16_t port);
    void stop();

private:
    boost::asio::io_context& io_;
    boost::asio::ip::tcp::acceptor acceptor_;
    Answer answer_;
};

}  // namespace evaljob
