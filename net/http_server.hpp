// A small HTTP server for status: GET alone, an answer a path. Whoever connects gets no more of this process than a few
// KiB and some seconds. Thread rule: the io_context's one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>  // before Asio, for GCC 12 with Boost 1.74

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "api/result.hpp"

namespace evaljob {

struct HttpAnswer {
    int status = 200;
    std::string body;
    std::string content_type = "application/json";
};

/// Whoever asks for a path that is not there is told which are.
HttpAnswer no_such_path(const std::string& those_that_are);

class HttpServer {
public:
    using Answer = std::function<HttpAnswer(const std::string& path)>;
    static constexpr std::size_t most_connections = 64;  // at a time
    struct Connections;

    HttpServer(boost::asio::io_context& io, Answer answer);

    /// `mend`: what to do about a port that is in use. Fails with PortInUse or CannotListen, naming address and port.
    Result<void> listen(const std::string& address, std::uint16_t port, const std::string& mend);

    /// The one that is listened on: port 0 asked for any.
    std::uint16_t port() const;

private:
    boost::asio::io_context& io_;
    boost::asio::ip::tcp::acceptor acceptor_;
    Answer answer_;
    std::shared_ptr<Connections> connections_;
};

}  // namespace evaljob
