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
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/assert.hpp"
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

class Session::Shell {
public:
    explicit Shell(SessionOptions options)
        : options_(std::move(options)),
          loop_(options_.hello),
          signals_(io_, SIGTERM, SIGINT),
          pause_(io_),
          heartbeat_(io_),
          resolver_(io_) {
        signals_.async_wait([this](const boost::system::error_code& error, int) {
            if (!error) happens([](RankLoop& loop) { return loop.leave(); });
        });
        asio::co_spawn(io_, run(), asio::detached);
        asio::co_spawn(io_, beat(), asio::detached);
        thread_ = std::thread([this] { io_.run(); });
    }

    ~Shell() {
        io_.stop();
        thread_.join();
    }

    std::variant<Welcome, SessionEnd> wait_welcome() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return state().welcome() || state().ended(); });
        if (state().ended()) return *state().ended();
        return *state().welcome();
    }

    void give_to(RankHands hands) {
        const std::lock_guard lock(mutex_);
        hands_ = std::move(hands);
    }

    void waits_for(std::string what) {
        what.resize(std::min(what.size(), max_said_bytes - 16));  // a letter that is cut may become longer ones
        {
            const std::lock_guard lock(mutex_);
            waits_for_ = std::move(what);
        }
        asio::post(io_, [this] { say(heartbeat()); });
    }

    void happens(const Event& event) {
        bool speaks = false;
        bool superfluous = false;
        {
            const std::lock_guard lock(mutex_);
            for (RankEffect& effect : event(loop_)) {
                speaks = speaks || std::holds_alternative<Speak>(effect);
                superfluous = superfluous || std::holds_alternative<Superfluous>(effect);
                hand_out(effect);
            }
            changed_.notify_all();
        }
        if (speaks) asio::dispatch(io_, [this] { speak(); });
        if (superfluous && options_.superfluous) options_.superfluous();
    }

    EngineStep next_step() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return step_.has_value(); });
        return *std::exchange(step_, std::nullopt);
    }

    void log_begins_with(std::string bytes) {
        const std::lock_guard lock(mutex_);
        loop_.log_begins_with(std::move(bytes));
        patience_ = farewell_to_writer;
    }

    void abort(int exit_code, const std::string& message) {
        asio::post(io_, [this, exit_code, message] { say(Abort{exit_code, message}); });
        // The coordinator answers an Abort by refusing everyone, this process included.
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, farewell, [this] { return state().ended().has_value(); });
    }

    std::optional<Group> join_group(const std::string& address, std::chrono::milliseconds limit) {
        asio::post(io_, [this, address] { say(Join{address}); });
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, limit, [this] { return state().group() || state().ended(); });
        return state().group();
    }

    void settle() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, patience_, [this] { return state().settled(); });
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
            happens([&](RankLoop& loop) { return loop.heard(*message); });
            if (ended()) break;
        }
        stream_->close();
        stream_ = nullptr;
        const std::lock_guard lock(mutex_);
        loop_.disconnected();
        changed_.notify_all();
    }

    Hello greeting() {
        const std::lock_guard lock(mutex_);
        return loop_.greeting();
    }

    asio::awaitable<void> beat() {
        boost::system::error_code error;
        for (;;) {
            heartbeat_.expires_after(std::chrono::milliseconds(2'000));
            co_await heartbeat_.async_wait(asio::redirect_error(asio::use_awaitable, error));
            if (error) co_return;
            say(heartbeat());
        }
    }

    Heartbeat heartbeat() {
        const std::lock_guard lock(mutex_);
        return {waits_for_};
    }

    void end(const SessionEnd& end) {
        happens([&](RankLoop& loop) { return loop.end(end); });
    }

    /// Under the lock.
    void hand_out(RankEffect& effect) {
        if (const auto* prepare = std::get_if<Prepare>(&effect); prepare != nullptr && hands_.prepare)
            hands_.prepare(prepare->lease);
        if (auto* write = std::get_if<WriteRecords>(&effect); write != nullptr && hands_.write)
            hands_.write(std::move(write->leases));
        if (auto* step = std::get_if<EngineStep>(&effect)) {
            EVALJOB_ASSERT(!step_, "an engine does one thing at a time");
            step_ = std::move(*step);
        }
    }

    bool ended() {
        const std::lock_guard lock(mutex_);
        // After a signal the connection stays for what is still to be reported.
        return state().ended() && state().ended()->exit_code != exit_code::terminated;
    }

    /// Under the lock.
    const SessionState& state() const { return loop_.session(); }

    void say(const Message& message) {
        if (stream_) stream_->write(encode_message(message));
    }

    void speak() {
        std::unique_lock lock(mutex_);
        const std::vector<Message> messages = loop_.messages();
        lock.unlock();
        for (const Message& message : messages) say(message);
    }

    SessionOptions options_;
    RankLoop loop_;  // under mutex_, as the next two
    RankHands hands_;
    std::optional<EngineStep> step_;  // that nobody has taken yet
    asio::io_context io_{1};
    asio::signal_set signals_;
    asio::steady_timer pause_;
    asio::steady_timer heartbeat_;
    asio::ip::tcp::resolver resolver_;
    std::shared_ptr<FrameStream> stream_;  // session thread only
    std::string last_failure_;             // session thread only

    std::chrono::seconds patience_ = farewell;  // under mutex_
    std::string waits_for_;                     // under mutex_

    std::mutex mutex_;
    std::condition_variable changed_;
    std::thread thread_;
};

Session::Session(SessionOptions options) : shell_(std::make_unique<Shell>(std::move(options))) {}
Session::~Session() = default;
std::variant<Welcome, SessionEnd> Session::wait_welcome() { return shell_->wait_welcome(); }
void Session::give_to(RankHands hands) { shell_->give_to(std::move(hands)); }
void Session::happens(const Event& event) { shell_->happens(event); }
EngineStep Session::next_step() { return shell_->next_step(); }
void Session::log_begins_with(std::string bytes) { shell_->log_begins_with(std::move(bytes)); }
void Session::abort(int exit_code, const std::string& message) { shell_->abort(exit_code, message); }
void Session::waits_for(std::string what) { shell_->waits_for(std::move(what)); }
std::optional<Group> Session::join_group(const std::string& address, std::chrono::milliseconds limit) {
    return shell_->join_group(address, limit);
}
void Session::settle() { shell_->settle(); }

}  // namespace evaljob
