#include "net/progress_puller.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "net/answer_header.hpp"

namespace evaljob {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

constexpr std::chrono::seconds deadline{2};
constexpr std::size_t max_body = std::size_t{4} << 20;
constexpr std::int64_t forget_after_seconds = 600;  // of not being asked for
constexpr std::size_t look_for_forgotten_every = 256;

asio::awaitable<std::string> get_progress(asio::io_context& io, asio::ip::tcp::endpoint endpoint) {
    boost::system::error_code error;
    beast::tcp_stream stream(io);
    stream.expires_after(deadline);
    co_await stream.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return "";
    http::request<http::empty_body> request(http::verb::get, "/progress", 11);
    request.set(http::field::host, endpoint.address().to_string());
    request.keep_alive(false);
    co_await http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return "";
    beast::flat_buffer buffer;
    std::optional<http::response_parser<http::string_body>> parser;
    AnswerLimits limits;
    limits.body_bytes = max_body;
    error = co_await read_answer_header(stream, buffer, parser, limits);
    if (error || parser->get().result() != http::status::ok) co_return "";
    co_await http::async_read(stream, buffer, *parser, asio::redirect_error(asio::use_awaitable, error));
    co_return error ? "" : parser->get().body();
}

}  // namespace

struct ProgressPuller::State {
    struct Entry {
        Place place;
        bool busy = false;
        std::int64_t asked = 0;
        std::optional<ProgressReport> latest;
    };

    State(asio::io_context& context, Options given) : io(context), options(std::move(given)) {}

    asio::io_context& io;
    Options options;
    mutable std::mutex mutex;
    std::map<std::string, Entry> entries;  // by run
    std::size_t asks = 0;
    bool stopped = false;
    std::chrono::steady_clock::time_point next_turn;  // of the io_context's thread

    /// Whoever is not asked for any more has ended.
    void forget(std::int64_t now) {
        if (++asks % look_for_forgotten_every != 0) return;
        std::erase_if(entries, [&](const auto& entry) {
            return !entry.second.busy && now - entry.second.asked > forget_after_seconds;
        });
    }

    bool begin(const Place& place) {
        const std::lock_guard lock(mutex);
        const std::int64_t now = options.clock();
        forget(now);
        Entry& entry = entries[place.run];
        entry.asked = now;
        entry.place = place;
        const bool fresh = entry.latest && now - entry.latest->time < options.fresh_seconds;
        if (stopped || entry.busy || fresh) return false;
        entry.busy = true;
        return true;
    }

    /// Its place as it was last given.
    Place place_of(const std::string& run) const {
        const std::lock_guard lock(mutex);
        return entries.at(run).place;
    }

    void end(const std::string& run, const Result<ProgressReport>& report) {
        const std::lock_guard lock(mutex);
        Entry& entry = entries.at(run);
        entry.busy = false;
        if (!report) return;
        entry.latest = *report;
        entry.latest->time = options.clock();
    }

    asio::awaitable<void> await_turn() {
        if (options.per_second <= 0) co_return;
        const auto now = std::chrono::steady_clock::now();
        const auto turn = std::max(now, next_turn);
        next_turn = turn + std::chrono::microseconds(static_cast<std::int64_t>(1e6 / options.per_second));
        asio::steady_timer timer(io, turn);
        co_await timer.async_wait(asio::use_awaitable);
    }

    asio::awaitable<void> pull(std::string run) {
        co_await await_turn();
        const Place place = place_of(run);
        boost::system::error_code error;
        const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(place.address, error), place.port);
        std::string body;
        if (!error) body = co_await get_progress(io, endpoint);
        const auto report = parse_progress_report(body);  // whatever listens there may not be our runner
        end(run, report);
        if (report && options.arrived) options.arrived(place.job);
    }
};

ProgressPuller::ProgressPuller(asio::io_context& io, Options options)
    : state_(std::make_shared<State>(io, std::move(options))) {}

ProgressPuller::~ProgressPuller() { stop(); }

void ProgressPuller::ask(const Place& place) {
    if (!state_->begin(place)) return;
    asio::co_spawn(
        state_->io, [state = state_, run = place.run]() -> asio::awaitable<void> { co_await state->pull(run); },
        asio::detached);
}

std::optional<ProgressReport> ProgressPuller::latest(const std::string& run) const {
    const std::lock_guard lock(state_->mutex);
    const auto entry = state_->entries.find(run);
    return entry == state_->entries.end() ? std::nullopt : entry->second.latest;
}

void ProgressPuller::stop() {
    const std::lock_guard lock(state_->mutex);
    state_->stopped = true;
}

}  // namespace evaljob
