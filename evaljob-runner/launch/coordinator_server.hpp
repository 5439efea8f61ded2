// The coordinator's shell on node 0: sockets and clock around a CoordinatorRun.
// Thread rule: the io_context's one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>  // Boost 1.74's Asio needs it in front with GCC 12

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/manifest.hpp"
#include "evaljob-runner/launch/coordinator_run.hpp"

namespace evaljob {

class FrameStream;

/// What to do about a port of a node that is in use.
inline constexpr const char* port_mend = "set spec.rendezvous.port to a free one (it and the next are used)";

class CoordinatorServer {
public:
    struct Callbacks {
        std::function<void(int exit_code, const std::string& message)> end_job;  // once, when the job cannot go on
        std::function<void()> finished;  // once, when the done marker stands and no rank is connected any more
    };

    /// Settles the manifest, claims an epoch, takes the inventory of what is on the volume, and listens.
    static Result<std::unique_ptr<CoordinatorServer>> start(boost::asio::io_context& io, Manifest manifest,
                                                            const RankContract& contract, CoordinatorOptions options,
                                                            const std::string& listen_address, Callbacks callbacks);
    ~CoordinatorServer();

    CoordinatorProgress progress() const;
    const std::string& identity() const;  // of the manifest that has been frozen

private:
    explicit CoordinatorServer(boost::asio::io_context& io);

    boost::asio::awaitable<void> accept();
    boost::asio::awaitable<void> serve(SessionId session, std::shared_ptr<FrameStream> stream);
    boost::asio::awaitable<void> tick();
    void send(SessionId session, const Message& message);
    void close(SessionId session);

    boost::asio::io_context& io_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer timer_;
    std::unique_ptr<CoordinatorRun> run_;
    std::map<SessionId, std::shared_ptr<FrameStream>> streams_;
    SessionId next_session_ = 1;
};

}  // namespace evaljob
