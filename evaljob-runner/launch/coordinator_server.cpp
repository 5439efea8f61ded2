#include "evaljob-runner/launch/coordinator_server.hpp"

#include <algorithm>
#include <chrono>

#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/printable.hpp"
#include "evaljob-runner/wire/frame_stream.hpp"
#include "net/accept.hpp"
#include "net/listen.hpp"

namespace evaljob {

namespace asio = boost::asio;

namespace {

constexpr Milliseconds between_complaints = 60'000;

Milliseconds steady_now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

}  // namespace

CoordinatorServer::CoordinatorServer(asio::io_context& io, StrangerLimits strangers, std::size_t ranks)
    : io_(io),
      acceptor_(io),
      timer_(io),
      limits_(strangers),
      most_strangers_(limits_.beside_ranks + ranks),
      complaints_(between_complaints) {}

CoordinatorServer::~CoordinatorServer() = default;

Result<std::unique_ptr<CoordinatorServer>> CoordinatorServer::start(
    asio::io_context& io, Manifest manifest, const RankContract& contract, CoordinatorOptions options,
    const std::string& listen_address, Callbacks callbacks, FailedBefore failed, StrangerLimits strangers) {
    const auto ranks = static_cast<std::size_t>(std::max(1, options.expected.world_size));
    std::unique_ptr<CoordinatorServer> server(new CoordinatorServer(io, strangers, ranks));
    CoordinatorServer& self = *server;
    auto run =
        CoordinatorRun::open(std::move(manifest), contract.shared_dir, std::move(options),
                             {[&self](SessionId session, const Message& message) { self.send(session, message); },
                              [&self](SessionId session) { self.close(session); }, std::move(callbacks.end_job),
                              std::move(callbacks.finished),
                              // Behind whatever has arrived by then: one fsync for all of it.
                              [&self] { asio::post(self.io_, [&self] { self.run_->commit(steady_now()); }); }},
                             failed);
    if (!run) return tl::unexpected(run.error());
    server->run_ = std::move(*run);
    const auto port = static_cast<std::uint16_t>(contract.master_port);
    if (auto listening = listen_on(server->acceptor_, listen_address, port, port_mend); !listening)
        return tl::unexpected(listening.error());
    const auto progress = server->progress();
    spdlog::info("coordinator: epoch {}, {} samples in {} batches, {} found on the volume", self.run_->epoch(),
                 progress.samples_total, progress.batches, progress.samples_resumed);
    Accepting accepting{
        [&self](asio::ip::tcp::socket socket) { self.take(std::move(socket)); },
        [&self](const std::string& why) { self.close_oldest_stranger("no other can be taken: " + why); }};
    asio::co_spawn(io, accept_connections(self.acceptor_, std::move(accepting)), asio::detached);
    asio::co_spawn(io, self.tick(), asio::detached);
    // What start() finds may end the run at once; whoever called must hold the server by then.
    asio::post(io, [&self] { self.run_->start(steady_now()); });
    return server;
}

const std::string& CoordinatorServer::identity() const { return run_->identity(); }

CoordinatorProgress CoordinatorServer::progress() const { return run_->progress(steady_now()); }

void CoordinatorServer::take(asio::ip::tcp::socket socket) {
    if (strangers_.size() >= most_strangers_)
        close_oldest_stranger("more than " + std::to_string(most_strangers_) + " have said no hello yet");
    const SessionId session = next_session_++;
    auto stream = std::make_shared<FrameStream>(std::move(socket));
    streams_[session] = stream;
    strangers_[session] = steady_now();
    asio::co_spawn(io_, serve(session, std::move(stream)), asio::detached);
}

asio::awaitable<void> CoordinatorServer::serve(SessionId session, std::shared_ptr<FrameStream> stream) {
    for (;;) {
        const auto payload = co_await stream->read(strangers_.contains(session) ? limits_.frame : max_wire_frame);
        if (!payload && payload.error().reason == "BadMessage") complain(payload.error().message);
        if (!payload) break;
        const auto message = decode_message(*payload);
        if (!message) complain(message.error().message);
        if (!message) break;
        run_->message(session, *message, steady_now());
        if (run_->is_registered(session)) strangers_.erase(session);
    }
    stream->close();
    streams_.erase(session);
    strangers_.erase(session);
    run_->disconnected(session, steady_now());
}

/// What its reading ends with is the rest.
void CoordinatorServer::close_oldest_stranger(const std::string& why) {
    complain(why);
    const auto oldest =
        std::min_element(strangers_.begin(), strangers_.end(), [](auto& a, auto& b) { return a.second < b.second; });
    if (oldest == strangers_.end()) return;
    if (const auto it = streams_.find(oldest->first); it != streams_.end()) it->second->close();
    strangers_.erase(oldest);
}

/// Anybody can make it happen, so that it is not said each time, and no word of theirs as it came.
void CoordinatorServer::complain(const std::string& what) {
    const auto times = complaints_.happened(steady_now());
    if (times == 0) return;
    const std::string more = times > 1 ? " (and " + std::to_string(times - 1) + " since it was last said)" : "";
    spdlog::warn("coordinator: closing a connection: {}{}", printable(what), more);
}

asio::awaitable<void> CoordinatorServer::tick() {
    boost::system::error_code error;
    for (;;) {
        timer_.expires_after(std::chrono::milliseconds(500));
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
        run_->tick(steady_now());
        while (!strangers_.empty() && std::any_of(strangers_.begin(), strangers_.end(), [&](const auto& stranger) {
            return steady_now() - stranger.second >= limits_.patience;
        }))
            close_oldest_stranger("no hello has come for " + std::to_string(limits_.patience / 1'000) + " s");
    }
}

void CoordinatorServer::send(SessionId session, const Message& message) {
    if (const auto it = streams_.find(session); it != streams_.end()) it->second->write(encode_message(message));
}

void CoordinatorServer::close(SessionId session) {
    const auto it = streams_.find(session);
    if (it == streams_.end()) return;
    strangers_.try_emplace(session, steady_now());  // one that never reads what it is told goes at last, too
    it->second->close_when_sent();
}

}  // namespace evaljob
