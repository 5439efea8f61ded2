#include "evaljob-runner/launch/coordinator_server.hpp"

#include <chrono>

#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "evaljob-runner/wire/frame_stream.hpp"
#include "net/listen.hpp"

namespace evaljob {

namespace asio = boost::asio;

namespace {

constexpr std::size_t max_sessions = 16'384;

Milliseconds steady_now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

}  // namespace

CoordinatorServer::CoordinatorServer(asio::io_context& io) : io_(io), acceptor_(io), timer_(io) {}

CoordinatorServer::~CoordinatorServer() = default;

Result<std::unique_ptr<CoordinatorServer>> CoordinatorServer::start(asio::io_context& io, Manifest manifest,
                                                                    const RankContract& contract,
                                                                    CoordinatorOptions options,
                                                                    const std::string& listen_address,
                                                                    Callbacks callbacks) {
    std::unique_ptr<CoordinatorServer> server(new CoordinatorServer(io));
    CoordinatorServer& self = *server;
    auto run =
        CoordinatorRun::open(std::move(manifest), contract.shared_dir, std::move(options),
                             {[&self](SessionId session, const Message& message) { self.send(session, message); },
                              [&self](SessionId session) { self.close(session); }, std::move(callbacks.end_job),
                              std::move(callbacks.finished),
                              // Behind whatever has arrived by then: one fsync for all of it.
                              [&self] { asio::post(self.io_, [&self] { self.run_->commit(steady_now()); }); }});
    if (!run) return tl::unexpected(run.error());
    server->run_ = std::move(*run);
    const auto port = static_cast<std::uint16_t>(contract.master_port);
    if (auto listening = listen_on(server->acceptor_, listen_address, port, port_mend); !listening)
        return tl::unexpected(listening.error());
    const auto progress = server->progress();
    spdlog::info("coordinator: epoch {}, {} samples in {} batches, {} found on the volume", self.run_->epoch(),
                 progress.samples_total, progress.batches, progress.samples_resumed);
    asio::co_spawn(io, self.accept(), asio::detached);
    asio::co_spawn(io, self.tick(), asio::detached);
    // What start() finds may end the run at once; whoever called must hold the server by then.
    asio::post(io, [&self] { self.run_->start(steady_now()); });
    return server;
}

const std::string& CoordinatorServer::identity() const { return run_->identity(); }

CoordinatorProgress CoordinatorServer::progress() const { return run_->progress(steady_now()); }

asio::awaitable<void> CoordinatorServer::accept() {
    boost::system::error_code error;
    for (;;) {
        auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
        if (!acceptor_.is_open()) co_return;
        if (error || streams_.size() >= max_sessions) continue;
        const SessionId session = next_session_++;
        auto stream = std::make_shared<FrameStream>(std::move(socket));
        streams_[session] = stream;
        asio::co_spawn(io_, serve(session, std::move(stream)), asio::detached);
    }
}

asio::awaitable<void> CoordinatorServer::serve(SessionId session, std::shared_ptr<FrameStream> stream) {
    for (;;) {
        const auto payload = co_await stream->read();
        if (!payload && payload.error().reason == "BadMessage")
            spdlog::warn("closing a connection: {}", payload.error().message);
        if (!payload) break;
        const auto message = decode_message(*payload);
        if (!message) {
            spdlog::warn("closing a connection: {}", message.error().message);
            break;
        }
        run_->message(session, *message, steady_now());
    }
    stream->close();
    streams_.erase(session);
    run_->disconnected(session, steady_now());
}

asio::awaitable<void> CoordinatorServer::tick() {
    boost::system::error_code error;
    for (;;) {
        timer_.expires_after(std::chrono::milliseconds(500));
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
        run_->tick(steady_now());
    }
}

void CoordinatorServer::send(SessionId session, const Message& message) {
    if (const auto it = streams_.find(session); it != streams_.end()) it->second->write(encode_message(message));
}

void CoordinatorServer::close(SessionId session) {
    if (const auto it = streams_.find(session); it != streams_.end()) it->second->close_when_sent();
}

}  // namespace evaljob
