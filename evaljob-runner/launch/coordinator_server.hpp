// The coordinator's shell on node 0: sockets and clock around a CoordinatorRun. Whoever can reach the port may connect:
// before a hello with the run's token was accepted, a connection gets little memory, little time, and its place only
// until others want it.
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
#include "net/seldom.hpp"

namespace evaljob {

class FrameStream;

/// What to do about a port of a node that is in use.
inline constexpr const char* port_mend = "set spec.rendezvous.port to a free one (it and the next are used)";

/// Of connections whose hello has not been accepted.
struct StrangerLimits {
    std::size_t beside_ranks = 64;    // at a time; as many more as there are ranks. Then the oldest has to go
    Milliseconds patience = 10'000;   // for the hello
    std::uint32_t frame = 32U << 10;  // bytes: a hello with 64 leases and 64 devices has a quarter of that
};

class CoordinatorServer {
public:
    struct Callbacks {
        std::function<void(int exit_code, const std::string& message)> end_job;  // once, when the job cannot go on
        std::function<void()> finished;  // once, when the done marker stands and no rank is connected any more
    };

    /// Settles the manifest, claims an epoch, takes the inventory of what is on the volume, and listens.
    static Result<std::unique_ptr<CoordinatorServer>> start(boost::asio::io_context& io, Manifest manifest,
                                                            const RankContract& contract, CoordinatorOptions options,
                                                            const std::string& listen_address, Callbacks callbacks,
                                                            FailedBefore failed = {}, StrangerLimits strangers = {});
    ~CoordinatorServer();

    CoordinatorProgress progress() const;
    const std::string& identity() const;  // of the manifest that has been frozen
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    std::size_t connections() const { return streams_.size(); }

private:
    CoordinatorServer(boost::asio::io_context& io, StrangerLimits strangers, std::size_t ranks);

    void take(boost::asio::ip::tcp::socket socket);
    boost::asio::awaitable<void> serve(SessionId session, std::shared_ptr<FrameStream> stream);
    boost::asio::awaitable<void> tick();
    void send(SessionId session, const Message& message);
    void close(SessionId session);
    void close_oldest_stranger(const std::string& why);
    void complain(const std::string& what);

    boost::asio::io_context& io_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer timer_;
    std::unique_ptr<CoordinatorRun> run_;
    std::map<SessionId, std::shared_ptr<FrameStream>> streams_;
    SessionId next_session_ = 1;
    StrangerLimits limits_;
    std::size_t most_strangers_;
    std::map<SessionId, Milliseconds> strangers_;  // since when; with those that are told to go and have not gone yet
    Seldom complaints_;
};

}  // namespace evaljob
