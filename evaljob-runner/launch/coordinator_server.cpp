#include "evaljob-runner/launch/coordinator_server.hpp"

#include <chrono>

#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/exit_code.hpp"
#include "evaljob-runner/launch/exit_status.hpp"
#include "evaljob-runner/manifest/run_folder.hpp"
#include "evaljob-runner/wire/frame_stream.hpp"
#include "evaljob-runner/wire/listen.hpp"

namespace evaljob {

namespace asio = boost::asio;

namespace {

constexpr std::size_t max_sessions = 16'384;
constexpr Milliseconds farewell = 10'000;  // how long ranks that have been told may take to hang up

Milliseconds steady_now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

}  // namespace

CoordinatorServer::CoordinatorServer(asio::io_context& io, Manifest manifest, std::string shared_dir,
                                     Callbacks callbacks)
    : io_(io),
      acceptor_(io),
      timer_(io),
      manifest_(std::move(manifest)),
      shared_dir_(std::move(shared_dir)),
      callbacks_(std::move(callbacks)) {}

CoordinatorServer::~CoordinatorServer() = default;

Result<std::unique_ptr<CoordinatorServer>> CoordinatorServer::start(asio::io_context& io, Manifest manifest,
                                                                    const RankContract& contract,
                                                                    CoordinatorOptions options,
                                                                    const std::string& listen_address,
                                                                    Callbacks callbacks) {
    if (auto settled = settle_manifest(manifest, contract.shared_dir); !settled) return tl::unexpected(settled.error());
    const auto epoch = next_epoch(contract.shared_dir);
    if (!epoch) return tl::unexpected(epoch.error());
    const auto inventory = take_inventory(manifest, contract.shared_dir);
    if (!inventory) return tl::unexpected(inventory.error());
    for (const auto& note : inventory->notes) spdlog::warn("{}", note);

    std::unique_ptr<CoordinatorServer> server(
        new CoordinatorServer(io, std::move(manifest), contract.shared_dir, std::move(callbacks)));
    server->epoch_ = options.epoch = *epoch;
    options.identity = identity_of(server->manifest_);
    server->coordinator_ = std::make_unique<Coordinator>(options, batch_states(server->manifest_, *inventory));
    if (auto listening = listen_on(server->acceptor_, listen_address, static_cast<std::uint16_t>(contract.master_port));
        !listening) {
        return tl::unexpected(listening.error());
    }
    const auto progress = server->progress();
    spdlog::info("coordinator: epoch {}, {} samples in {} batches, {} found on the volume", *epoch,
                 progress.samples_total, progress.batches, progress.samples_resumed);
    CoordinatorServer& self = *server;
    asio::co_spawn(io, self.accept(), asio::detached);
    asio::co_spawn(io, self.tick(), asio::detached);
    // What start() finds may end the run at once; whoever called must hold the server by then.
    asio::post(io, [&self] {
        if (is_done(self.shared_dir_)) return self.apply(self.coordinator_->published());
        self.apply(self.coordinator_->start());
    });
    return server;
}

CoordinatorProgress CoordinatorServer::progress() const { return coordinator_->progress(steady_now()); }

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
        apply(coordinator_->message(session, *message, steady_now()));
    }
    stream->close();
    streams_.erase(session);
    apply(coordinator_->disconnected(session, steady_now()));
    finish_when_alone();
}

asio::awaitable<void> CoordinatorServer::tick() {
    boost::system::error_code error;
    for (;;) {
        timer_.expires_after(std::chrono::milliseconds(500));
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
        apply(coordinator_->tick(steady_now()));
        finish_when_alone();
    }
}

void CoordinatorServer::apply(const Effects& effects) {
    for (const Effect& effect : effects) {
        if (const auto* send = std::get_if<Send>(&effect)) {
            if (const auto it = streams_.find(send->session); it != streams_.end())
                it->second->write(encode_message(send->message));
        } else if (const auto* close = std::get_if<CloseSession>(&effect)) {
            if (const auto it = streams_.find(close->session); it != streams_.end()) it->second->close_when_sent();
        } else if (const auto* note = std::get_if<Note>(&effect)) {
            spdlog::debug("coordinator: {}", note->text);
        } else if (const auto* end = std::get_if<EndJob>(&effect)) {
            callbacks_.end_job(end->exit_code, end->message);
        } else {
            write_marker();
        }
    }
}

void CoordinatorServer::write_marker() {
    const auto marker = write_done_marker(manifest_, shared_dir_, epoch_);
    if (!marker) return callbacks_.end_job(exit_status_of(marker.error()), marker.error().message);
    const auto p = progress();
    spdlog::info(
        "coordinator: all {} samples are on the volume ({} in this epoch under {} leases for {} batches, {} leased "
        "again)",
        p.samples_total, p.samples_done - p.samples_resumed, p.leases, p.batches, p.leases_again);
    apply(coordinator_->published());
}

void CoordinatorServer::finish_when_alone() {
    if (!coordinator_->finished() || told_finished_) return;
    if (published_at_ == 0) published_at_ = steady_now();
    // Late ranks find the done marker on the volume; those that are connected are told, and hang up.
    if (coordinator_->connected() > 0 && steady_now() - published_at_ < farewell) return;
    told_finished_ = true;
    callbacks_.finished();
}

}  // namespace evaljob
