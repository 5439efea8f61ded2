#include "evaljob-runner/rank/session.hpp"

#include <netinet/tcp.h>
#include <signal.h>

#include <condition_variable>
#include <deque>
#include <map>
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
constexpr int unacknowledged_ms = 20'000;  // a host that vanished without a word is noticed after so long

}  // namespace

class Session::Loop {
public:
    explicit Loop(SessionOptions options)
        : options_(std::move(options)), signals_(io_, SIGTERM, SIGINT), pause_(io_), heartbeat_(io_), resolver_(io_) {
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
        changed_.wait(lock, [this] { return welcome_ || end_; });
        if (end_) return *end_;
        return *welcome_;
    }

    std::variant<Lease, SessionEnd> next_lease() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !queue_.empty() || end_; });
        if (end_) return *end_;
        Lease lease = queue_.front();
        queue_.pop_front();
        return lease;
    }

    void done(const Done& done) {
        {
            const std::lock_guard lock(mutex_);
            held_.erase(done.lease);
            unacknowledged_[done.lease] = done;
        }
        asio::post(io_, [this, done] { say(done); });
    }

    void abort(int exit_code, const std::string& message) {
        asio::post(io_, [this, exit_code, message] { say(Abort{exit_code, message}); });
        // The coordinator answers an Abort by refusing everyone, this process included.
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, farewell, [this] { return end_.has_value(); });
    }

    void settle() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, farewell, [this] { return unacknowledged_.empty() || !connected_; });
    }

private:
    asio::awaitable<void> run() {
        auto last_contact = Clock::now();
        auto pause = first_pause;
        while (!ended()) {
            if (is_done(options_.shared_dir)) co_return end({exit_code::success, ""});
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
        say(hello());
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
        connected_ = false;
        changed_.notify_all();
    }

    Hello hello() {
        const std::lock_guard lock(mutex_);
        Hello hello = options_.hello;
        for (const auto& [lease, batch] : held_) hello.held.push_back({lease, batch});
        return hello;
    }

    void take(const Message& message) {
        if (const auto* welcome = std::get_if<Welcome>(&message)) return take_welcome(*welcome);
        if (const auto* refused = std::get_if<Refused>(&message)) return end({refused->exit_code, refused->message});
        if (std::holds_alternative<Finished>(message)) return end({exit_code::success, ""});
        const std::lock_guard lock(mutex_);
        if (const auto* lease = std::get_if<Lease>(&message)) {
            queue_.push_back(*lease);
            held_[lease->number] = lease->batch;
        } else if (const auto* ack = std::get_if<Ack>(&message)) {
            unacknowledged_.erase(ack->lease);
        }
        changed_.notify_all();
    }

    void take_welcome(const Welcome& welcome) {
        std::vector<Done> again;
        {
            const std::lock_guard lock(mutex_);
            if (welcome_ && welcome_->identity != welcome.identity) {
                end_ = SessionEnd{exit_code::identity, "the coordinator came back with another evaluation"};
            }
            welcome_ = welcome;
            connected_ = true;
            for (const auto& [lease, done] : unacknowledged_) again.push_back(done);
            changed_.notify_all();
        }
        for (const Done& done : again) say(done);
        say(Want{options_.leases});
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

    /// SIGTERM: what is not begun goes back; the batch that is being computed is finished and reported.
    void leave() {
        std::vector<LeaseNumber> given_back;
        {
            const std::lock_guard lock(mutex_);
            for (const Lease& lease : queue_) {
                given_back.push_back(lease.number);
                held_.erase(lease.number);
            }
            queue_.clear();
        }
        for (const LeaseNumber lease : given_back) say(Return{lease});
        if (given_back.empty()) say(Want{0});
        end({exit_code::terminated, "stopped by a signal"});
    }

    void end(SessionEnd end) {
        const std::lock_guard lock(mutex_);
        if (!end_) end_ = std::move(end);
        changed_.notify_all();
    }

    bool ended() {
        const std::lock_guard lock(mutex_);
        // After a signal the connection stays for what is still to be reported.
        return end_ && end_->exit_code != exit_code::terminated;
    }

    void say(const Message& message) {
        if (stream_) stream_->write(encode_message(message));
    }

    SessionOptions options_;
    asio::io_context io_{1};
    asio::signal_set signals_;
    asio::steady_timer pause_;
    asio::steady_timer heartbeat_;
    asio::ip::tcp::resolver resolver_;
    std::shared_ptr<FrameStream> stream_;  // session thread only
    std::string last_failure_;             // session thread only

    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Welcome> welcome_;
    std::optional<SessionEnd> end_;
    bool connected_ = false;
    std::deque<Lease> queue_;                    // not begun
    std::map<LeaseNumber, std::uint64_t> held_;  // queued or being computed → batch
    std::map<LeaseNumber, Done> unacknowledged_;

    std::thread thread_;
};

Session::Session(SessionOptions options) : loop_(std::make_unique<Loop>(std::move(options))) {}
Session::~Session() = default;
std::variant<Welcome, SessionEnd> Session::wait_welcome() { return loop_->wait_welcome(); }
std::variant<Lease, SessionEnd> Session::next_lease() { return loop_->next_lease(); }
void Session::done(const Done& done) { loop_->done(done); }
void Session::abort(int exit_code, const std::string& message) { loop_->abort(exit_code, message); }
void Session::settle() { loop_->settle(); }

}  // namespace evaljob
