#include "cli/progress_client.hpp"

#include <chrono>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "api/json.hpp"

namespace evaljob {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

constexpr std::chrono::seconds deadline{2};
constexpr std::size_t max_body = std::size_t{4} << 20;

std::optional<ProgressAnswer> read_answer(const std::string& body) {
    try {
        const Json fields = Json::parse(body);
        ProgressAnswer answer;
        answer.samples_done = fields.at("samplesDone").get<std::int64_t>();
        answer.samples_total = fields.at("samplesTotal").get<std::int64_t>();
        answer.samples_per_second = fields.at("samplesPerSecond").get<double>();
        answer.eta_seconds = fields.at("etaSeconds").get<double>();
        answer.slowest_rank = fields.at("slowestRank").get<std::string>();
        answer.rendezvous_ready = fields.at("rendezvousReady").get<bool>();
        for (const Json& rank : fields.at("ranks")) answer.ranks_connected += rank.at("connected").get<bool>() ? 1 : 0;
        answer.idle_seconds = fields.at("idleSeconds").get<std::int64_t>();
        answer.attempt = fields.at("attempt").get<std::int32_t>();
        answer.time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
        return answer;
    } catch (const Json::exception&) {
        return std::nullopt;  // whatever listens there is not our runner
    }
}

asio::awaitable<std::string> get_body(asio::io_context& io, asio::ip::tcp::endpoint endpoint) {
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
    http::response_parser<http::string_body> parser;
    parser.body_limit(max_body);
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    co_return error || parser.get().result() != http::status::ok ? "" : parser.get().body();
}

}  // namespace

struct ProgressClient::State {
    asio::io_context& io;
    std::optional<ProgressAnswer> latest;
    bool busy = false;
    bool stopped = false;
};

ProgressClient::ProgressClient(asio::io_context& io) : state_(new State{io, std::nullopt}) {}
ProgressClient::~ProgressClient() = default;

const std::optional<ProgressAnswer>& ProgressClient::latest() const { return state_->latest; }

void ProgressClient::stop() { state_->stopped = true; }

void ProgressClient::fetch(const std::string& address, std::uint16_t port) {
    if (state_->busy || state_->stopped) return;
    boost::system::error_code error;
    const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address, error), port);
    if (error) return;
    state_->busy = true;
    asio::co_spawn(
        state_->io,
        [state = state_, endpoint]() -> asio::awaitable<void> {
            const std::string body = co_await get_body(state->io, endpoint);
            if (auto answer = read_answer(body)) state->latest = std::move(answer);
            state->busy = false;
        },
        asio::detached);
}

}  // namespace evaljob
