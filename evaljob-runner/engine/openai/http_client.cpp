#include "evaljob-runner/engine/openai/http_client.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <variant>

#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "evaljob-runner/engine/openai/connection.hpp"

namespace evaljob::openai {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Kind = Exchange::Kind;
using Clock = std::chrono::steady_clock;
using ConnectionPtr = std::unique_ptr<Connection>;

namespace {

constexpr std::chrono::seconds port_timeout{2};

std::chrono::milliseconds since(Clock::time_point then) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - then);
}

/// In milliseconds of the steady clock.
Silence::Moment moment() { return since(Clock::time_point()); }

}  // namespace

struct HttpClient::State {
    State(asio::io_context& context, Destination where, HttpPace how)
        : io(context), destination(std::move(where)), pace(how), silence(how.silence) {}

    struct Idle {
        ConnectionPtr connection;
        Clock::time_point since;
    };

    asio::io_context& io;
    Destination destination;
    HttpPace pace;
    asio::ssl::context tls = client_tls(destination.url.tls);
    Keeping keeping;
    std::deque<Idle> idle;  // the one that has rested longest first
    Silence silence;
    std::map<Silence::Id, Connection*> open;  // of silence's requests
    bool is_watched = false;
    asio::steady_timer next_look{io};

    HttpRequest request_for(http::verb verb, const std::string& path, std::string_view body) const {
        const bool through_proxy = destination.proxy && !destination.url.tls;
        const std::string host = host_header(destination.url);
        HttpRequest request(
            verb, (through_proxy ? "http://" + host : "") + destination.url.path + path + destination.query, 11);
        request.set(http::field::host, host);
        request.set(http::field::user_agent, "evaljob");
        request.set(http::field::accept, "application/json");
        request.set(http::field::accept_encoding, "gzip");
        for (const auto& [name, value] : destination.headers) request.set(name, value);
        if (through_proxy)
            if (const std::string who = proxy_authorization(*destination.proxy); !who.empty())
                request.set(http::field::proxy_authorization, who);
        if (verb == http::verb::post) {
            request.set(http::field::content_type, "application/json");
            request.body() = boost::beast::span<const char>(body.data(), body.size());
            request.prepare_payload();
        }
        request.keep_alive(keeping.is_trusted());
        return request;
    }

    /// A kept connection that may be used, or nothing. `rest`: how long one has to rest still, if any does.
    ConnectionPtr take_idle(std::chrono::milliseconds& rest) {
        rest = {};
        while (!idle.empty()) {
            Idle& first = idle.front();
            const auto idle_for = since(first.since);
            if (keeping.is_trusted() && idle_for < pace.rest) {
                rest = pace.rest - idle_for;
                return nullptr;
            }
            ConnectionPtr connection = std::move(first.connection);
            idle.pop_front();
            const bool trusted = keeping.is_trusted();
            if (keeping.may_use(connection->look(), idle_for)) return connection;
            if (trusted) say_if_distrusted();
        }
        return nullptr;
    }

    asio::awaitable<std::variant<ConnectionPtr, Exchange>> take_connection(Time until) {
        std::chrono::milliseconds rest{};
        while (true) {
            ConnectionPtr kept = take_idle(rest);
            if (kept) co_return kept;
            if (rest.count() == 0) break;
            asio::steady_timer timer(io, rest);
            boost::system::error_code ignored;
            co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
        ConnectionPtr fresh = std::make_unique<Connection>(io, tls);
        std::optional<Exchange> refused = co_await fresh->open(destination, until);
        if (refused) co_return std::move(*refused);
        co_return fresh;
    }

    void say_if_distrusted() const {
        if (!keeping.is_trusted())
            spdlog::warn(
                "{} has sent what nobody asked for: from now on each request has a connection of its own, so that none "
                "gets the answer to another",
                host_header(destination.url));
    }

    void put_back(ConnectionPtr connection, const AnswerEnd& end) {
        const bool trusted = keeping.is_trusted();
        if (keeping.may_keep(end)) idle.push_back({std::move(connection), Clock::now()});
        if (trusted) say_if_distrusted();
        if (!keeping.is_trusted()) idle.clear();
    }

    /// What may go into messages and results. An answer is never changed: one that has a key in it is none.
    Exchange told(Exchange exchange, bool is_answer) const {
        exchange.why = destination.secrets.cut(std::move(exchange.why));
        exchange.location = destination.secrets.cut(std::move(exchange.location));
        exchange.retry_after = destination.secrets.cut(std::move(exchange.retry_after));
        if (exchange.kind != Kind::Answered) return exchange;
        if (exchange.status != 200) {
            exchange.body = destination.secrets.cut(std::move(exchange.body));
        } else if (is_answer && destination.secrets.is_in_answer(exchange.body)) {
            return failed_exchange(Kind::HoldsKey, "the server's answer holds a key that was sent to it");
        }
        return exchange;
    }

    static asio::awaitable<Exchange> send(std::shared_ptr<State> self, http::verb verb, std::string path,
                                          std::string_view body, Time until) {
        const bool is_question = verb == http::verb::post;
        while (true) {
            auto taken = co_await self->take_connection(until);
            if (auto* refused = std::get_if<Exchange>(&taken)) co_return self->told(std::move(*refused), false);
            ConnectionPtr connection = std::move(std::get<ConnectionPtr>(taken));
            const bool was_kept = connection->was_used();
            const HttpRequest request = self->request_for(verb, path, body);
            Silence::Id id = is_question ? watch_over(self, *connection) : 0;
            const std::function<void()> heard = [&] { self->silence.heard(id, moment()); };
            Conversation talk = co_await connection->converse(request, until, heard);
            self->over(id, talk.exchange.kind == Kind::Answered);
            // Whatever may be read twice without harm is; a question may have been answered, and paid.
            const bool harmless = !is_question && was_kept && !talk.heard_anything;
            const bool lost = talk.exchange.kind == Kind::Lost;
            if (lost && (harmless || may_send_again(was_kept, talk.end.request_sent, talk.heard_anything))) continue;
            if (talk.exchange.kind == Kind::Answered || talk.end.left_over)
                self->put_back(std::move(connection), talk.end);
            co_return self->told(std::move(talk.exchange), is_question);
        }
    }

    // Requests that nothing will come of.

    static Silence::Id watch_over(const std::shared_ptr<State>& self, Connection& connection) {
        const Silence::Id id = self->silence.asked(moment());
        self->open[id] = &connection;
        if (!std::exchange(self->is_watched, true)) asio::co_spawn(self->io, watch(self), asio::detached);
        return id;
    }

    void over(Silence::Id id, bool answered) {
        if (answered)
            silence.answered(id, moment());
        else
            silence.ended(id);
        open.erase(id);
    }

    static asio::awaitable<void> watch(std::shared_ptr<State> self) {
        while (!self->open.empty()) {
            boost::system::error_code ignored;
            self->next_look.expires_after(self->pace.look_every);
            co_await self->next_look.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
            if (!self->silence.is_suspicious(moment())) continue;
            const bool refuses = co_await self->port_refuses();
            self->end_hopeless(refuses);
        }
        self->is_watched = false;
    }

    void end_hopeless(bool refuses) {
        for (const auto& [id, silent] : silence.hopeless(moment(), refuses)) {
            const std::string why = "it was silent for " + std::to_string(silent.count() / 1000) + " s, and " +
                                    (refuses ? "nobody listens at its port any more" : "answers others meanwhile");
            if (const auto found = open.find(id); found != open.end()) found->second->end(why);
        }
    }

    /// Of the server, or of the proxy before it.
    asio::awaitable<bool> port_refuses() {
        const std::string host = destination.proxy ? destination.proxy->host : destination.url.host;
        const std::string port = destination.proxy ? destination.proxy->port : destination.url.port;
        boost::system::error_code error;
        asio::ip::tcp::resolver resolver(io);
        const auto places =
            co_await resolver.async_resolve(host, port, asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return false;
        boost::beast::tcp_stream stream(io);
        stream.expires_after(port_timeout);
        co_await stream.async_connect(places, asio::redirect_error(asio::use_awaitable, error));
        co_return error == asio::error::connection_refused;
    }
};

HttpClient::HttpClient(asio::io_context& io, Destination destination, HttpPace pace)
    : state_(std::make_shared<State>(io, std::move(destination), pace)) {}

HttpClient::~HttpClient() {
    state_->idle.clear();
    state_->next_look.cancel();
}

asio::awaitable<Exchange> HttpClient::get(std::string path, Time until) {
    return State::send(state_, http::verb::get, std::move(path), "", until);
}

asio::awaitable<Exchange> HttpClient::post(std::string path, std::string_view body, Time until) {
    return State::send(state_, http::verb::post, std::move(path), body, until);
}

}  // namespace evaljob::openai
