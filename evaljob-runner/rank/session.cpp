#include "evaljob-runner/rank/session.hpp"

#include <netinet/tcp.h>
#include <signal.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/exit_code.hpp"
#include "evaljob-runner/manifest/run_folder.hpp"
#include "evaljob-runner/wire/frame_stream.hpp"

namespace evaljob {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds connect_timeout{5'000};
constexpr std::chrono::milliseconds first_pause{50};
constexpr std::chrono::milliseconds longest_pause{1'000};
constexpr std::chrono::seconds farewell{3};
constexpr std::chrono::seconds farewell_to_writer{15};  // below the patience of the launcher that stops a rank
constexpr int unacknowledged_ms = 20'000;               // a host that vanished without a word is noticed after so long

}  // namespace

class Session::Loop {
public:
    explicit Loop(SessionOptions options)
        : options_(std::move(options)),
          state_(options_.hello, 0),
          signals_(io_, SIGTERM, SIGINT),
          pause_(io_),
          heartbeat_(io_),
          resolver_(io_) {
        signals_.async_wait([this](const boost::system::error_code& error, int) {
            if (!error) leave();
        });
        asio::co_spawn(io_, run(), asio::detached);
        asio::co_spawn(io_, beat(), asio::detached);
        thread_ = std::thread([this] { io_.run(); });
    }

    ~Loop() {
        io_.stop();
        thread_.join();
    }

    std::variant<Welcome, SessionEnd> wait_welcome() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return state_.welcome() || state_.ended(); });
        if (state_.ended()) return *state_.ended();
        return *state_.welcome();
    }

    void want(std::uint32_t leases) {
        asio::post(io_, [this, leases] {
            for (const Message& message : changed([&] { return state_.want(leases); })) say(message);
        });
    }

    void when_leased(std::function<void(const Lease&)> tell) {
        const std::lock_guard lock(mutex_);
        tell_of_lease_ = std::move(tell);
    }

    LeaseCounts lease_counts() {
        const std::lock_guard lock(mutex_);
        return state_.lease_counts();
    }

    std::variant<Lease, SessionEnd> next_lease() {
        std::unique_lock lock(mutex_);
        std::optional<Lease> lease;
        changed_.wait(lock, [&] { return state_.ended() || interrupted_ || (lease = state_.next_lease()); });
        if (state_.ended()) return *state_.ended();
        if (!lease) return SessionEnd{exit_code::internal, "interrupted"};
        return *lease;
    }

    void interrupt() {
        const std::lock_guard lock(mutex_);
        interrupted_ = true;
        changed_.notify_all();
    }

    std::optional<Lease> lease_at_hand() {
        const std::lock_guard lock(mutex_);
        if (state_.ended()) return std::nullopt;
        return state_.next_lease();
    }

    void log_begins_with(std::string bytes) {
        const std::lock_guard lock(mutex_);
        state_.log_begins_with(std::move(bytes));
        patience_ = farewell_to_writer;
    }

    void done(Report report) {
        {
            const std::lock_guard lock(mutex_);
            state_.done(std::move(report));
        }
        asio::post(io_, [this] {
            for (const Message& message : changed([&] { return state_.unsaid(); })) say(message);
        });
    }

    void abort(int exit_code, const std::string& message) {
        asio::post(io_, [this, exit_code, message] { say(Abort{exit_code, message}); });
        // The coordinator answers an Abort by refusing everyone, this process included.
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, farewell, [this] { return state_.ended().has_value(); });
    }

    std::optional<Group> join_group(const std::string& address, std::chrono::milliseconds limit) {
        asio::post(io_, [this, address] { say(Join{address}); });
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, limit, [this] { return state_.group() || state_.ended(); });
        return state_.group();
    }

    void settle() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, patience_, [this] { return state_.settled(); });
    }

private:
    asio::awaitable<void> run() {
        auto last_contact = Clock::now();
        auto pause = first_pause;
        while (!ended()) {
            if (!options_.shared_dir.empty() && is_done(options_.shared_dir, options_.hello.contract.run_id))
                co_return end({exit_code::success, ""});
            auto stream = co_await connect();
            if (stream) {
                pause = first_pause;
                co_await converse(std::move(stream));
                last_contact = Clock::now();
                continue;
            }
            if (Clock::now() - last_contact > options_.ready_timeout) co_return end(gave_up());
            pause_.expires_after(pause);
            boost::system::error_code ignored;
            co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
            pause = std::min(pause * 2, longest_pause);
        }
    }

    SessionEnd gave_up() const {
        return {exit_code::unavailable, "the coordinator at " + options_.master_addr + ":" +
                                            std::to_string(options_.master_port) +
                                            " (MASTER_ADDR, MASTER_PORT) could not be reached for " +
                                            std::to_string(options_.ready_timeout.count()) + " s (" + last_failure_ +
                                            "); see node 0's log, or raise spec.rendezvous.readyTimeoutSeconds"};
    }

    /// Null when it failed: the name may not resolve yet, or nobody listen yet.
    asio::awaitable<std::shared_ptr<FrameStream>> connect() {
        boost::system::error_code error;
        const auto endpoints =
            co_await resolver_.async_resolve(options_.master_addr, std::to_string(options_.master_port),
                                             asio::redirect_error(asio::use_awaitable, error));
        asio::ip::tcp::socket socket(io_);
        if (!error) {
            asio::steady_timer deadline(io_, connect_timeout);
            deadline.async_wait([&socket](const boost::system::error_code& cancelled) {
                boost::system::error_code ignored;
                if (!cancelled) socket.close(ignored);
            });
            co_await asio::async_connect(socket, endpoints, asio::redirect_error(asio::use_awaitable, error));
        }
        if (error) {
            last_failure_ = error.message();
            co_return nullptr;
        }
        // The descriptor is ours to tune; Asio has no name for this option.
        ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms,
                     sizeof unacknowledged_ms);
        co_return std::make_shared<FrameStream>(std::move(socket));
    }

    asio::awaitable<void> converse(std::shared_ptr<FrameStream> stream) {
        stream_ = std::move(stream);
        say(greeting());
        for (;;) {
            const auto payload = co_await stream_->read();
            if (!payload) break;
            const auto message = decode_message(*payload);
            if (!message) {
                spdlog::warn("the coordinator's message is passed over: {}", message.error().message);
                continue;
            }
            take(*message);
            if (ended()) break;
        }
        stream_->close();
        stream_ = nullptr;
        const std::lock_guard lock(mutex_);
        state_.disconnected();
        changed_.notify_all();
    }

    Hello greeting() {
        const std::lock_guard lock(mutex_);
        return state_.greeting();
    }

    void take(const Message& message) {
        bool superfluous = false;
        for (const Message& reply : changed([&] {
                 auto replies = state_.take(message);
                 if (const auto* lease = std::get_if<Lease>(&message); lease != nullptr && tell_of_lease_)
                     tell_of_lease_(*lease);
                 superfluous = state_.is_superfluous();
                 return replies;
             }))
            say(reply);
        if (superfluous && options_.superfluous) options_.superfluous();
    }

    asio::awaitable<void> beat() {
        boost::system::error_code error;
        for (;;) {
            heartbeat_.expires_after(std::chrono::milliseconds(2'000));
            co_await heartbeat_.async_wait(asio::redirect_error(asio::use_awaitable, error));
            if (error) co_return;
            say(Heartbeat{});
        }
    }

    void leave() {
        for (const Message& message : changed([&] { return state_.leave(); })) say(message);
    }

    void end(SessionEnd end) {
        const std::lock_guard lock(mutex_);
        state_.end(std::move(end));
        changed_.notify_all();
    }

    /// The state changes under the lock, and whoever waits for it hears of it.
    template <class Change>
    std::vector<Message> changed(Change change) {
        const std::lock_guard lock(mutex_);
        std::vector<Message> say = change();
        changed_.notify_all();
        return say;
    }

    bool ended() {
        const std::lock_guard lock(mutex_);
        // After a signal the connection stays for what is still to be reported.
        return state_.ended() && state_.ended()->exit_code != exit_code::terminated;
    }

    void say(const Message& message) {
        if (stream_) stream_->write(encode_message(message));
    }

    SessionOptions options_;
    SessionState state_;  // under mutex_
    asio::io_context io_{1};
    asio::signal_set signals_;
    asio::steady_timer pause_;
    asio::steady_timer heartbeat_;
    asio::ip::tcp::resolver resolver_;
    std::shared_ptr<FrameStream> stream_;  // session thread only
    std::string last_failure_;             // session thread only

    std::chrono::seconds patience_ = farewell;         // under mutex_
    std::function<void(const Lease&)> tell_of_lease_;  // under mutex_
    bool interrupted_ = false;                         // under mutex_

    std::mutex mutex_;
    std::condition_variable changed_;
    std::thread thread_;
};

Session::Session(SessionOptions options) : loop_(std::make_unique<Loop>(std::move(options))) {}
Session::~Session() = default;
std::variant<Welcome, SessionEnd> Session::wait_welcome() { return loop_->wait_welcome(); }
void Session::want(std::uint32_t leases) { loop_->want(leases); }
void Session::when_leased(std::function<void(const Lease&)> tell) { loop_->when_leased(std::move(tell)); }
LeaseCounts Session::lease_counts() { return loop_->lease_counts(); }
std::variant<Lease, SessionEnd> Session::next_lease() { return loop_->next_lease(); }
void Session::interrupt() { loop_->interrupt(); }
std::optional<Lease> Session::lease_at_hand() { return loop_->lease_at_hand(); }
void Session::log_begins_with(std::string bytes) { loop_->log_begins_with(std::move(bytes)); }
void Session::done(Report report) { loop_->done(std::move(report)); }
void Session::abort(int exit_code, const std::string& message) { loop_->abort(exit_code, message); }
std::optional<Group> Session::join_group(const std::string& address, std::chrono::milliseconds limit) {
    return loop_->join_group(address, limit);
}
void Session::settle() { loop_->settle(); }

}  // namespace evaljob
