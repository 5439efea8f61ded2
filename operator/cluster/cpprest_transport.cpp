#include "operator/cluster/cpprest_transport.hpp"

#include <algorithm>
#include <cstdlib>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <cpprest/http_client.h>
#include <cpprest/producerconsumerstream.h>
#include <pplx/threadpool.h>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>

#include "operator/cluster/tls_context.hpp"

namespace evaljob::cluster {
namespace {

namespace http = web::http;
using Deadline = std::chrono::steady_clock::time_point;
using Body = concurrency::streams::streambuf<std::uint8_t>;

constexpr std::size_t most_read_bytes = 64U << 10U;

void use_one_pool_thread() {
    static const bool once = [] {
        crossplat::threadpool::initialize_with_threads(1);
        return true;
    }();
    static_cast<void>(once);
}

/// Closes a connection, on the thread that works with it.
class Cancel {
public:
    void operator()() const {
        boost::asio::post(crossplat::threadpool::shared_instance().service(),
                          [source = source_]() mutable { source.cancel(); });
    }
    pplx::cancellation_token token() const { return source_.get_token(); }

private:
    pplx::cancellation_token_source source_;
};

http::client::http_client_config config_of(const TlsFiles& tls, std::chrono::milliseconds timeout) {
    http::client::http_client_config config;
    config.set_timeout(timeout);
    config.set_max_redirects(0);  // they would carry the token elsewhere
    config.set_ssl_context_callback([tls](boost::asio::ssl::context& context) { restrict_tls(context, tls); });
    return config;
}

/// Can be read once: cpprest would send a write again when the answer to it did not come.
concurrency::streams::istream readable_once(const std::string& text) {
    concurrency::streams::producer_consumer_buffer<std::uint8_t> body;
    body.putn_nocopy(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()).wait();
    body.close(std::ios_base::out).wait();
    return body.create_istream();
}

http::http_request http_request_of(const kube::Request& request, const std::string& token, const std::string& agent) {
    web::uri_builder uri(web::uri::encode_uri(request.path));
    for (const auto& [key, value] : request.query) uri.append_query(key, value);
    http::http_request made(kube::method_of(request.verb));
    made.set_request_uri(uri.to_uri());
    made.headers().add("Accept", "application/json");
    made.headers().add("User-Agent", agent);
    if (!token.empty()) made.headers().add("Authorization", "Bearer " + token);
    if (!request.content_type.empty())
        made.set_body(readable_once(request.body), request.body.size(), request.content_type);
    return made;
}

int retry_after(const http::http_response& response) {
    const auto header = response.headers().find("Retry-After");
    return header == response.headers().end() ? 0 : std::max(0, std::atoi(header->second.c_str()));
}

/// The one place where exceptions are caught: one that nobody takes from its task would end the program.
template <class Call>
auto outcome(const std::string& what, Call&& call) -> Result<decltype(call())> {
    try {
        return call();
    } catch (const http::http_exception& error) {
        const bool silent = error.error_code() == std::errc::timed_out;
        return fail(silent ? "Silent" : "Unreachable", what + ": " + error.what(), true);
    } catch (const std::exception& error) {
        return fail("Unreachable", what + ": " + error.what(), true);
    }
}

/// What comes of the task, before the deadline if there is one. Its exception becomes an Error on the library's thread,
/// and is let go there.
template <class T>
Result<T> await(const std::string& what, pplx::task<T> task, std::optional<Deadline> deadline = {}) {
    const auto settled = std::make_shared<std::promise<Result<T>>>();
    auto waiting = settled->get_future();
    task.then(
        [settled, what](const pplx::task<T>& one) { settled->set_value(outcome(what, [&one] { return one.get(); })); });
    task = {};
    if (deadline && waiting.wait_until(*deadline) == std::future_status::timeout)
        return fail("DeadlineExceeded", what + ": no whole answer came in time", true);
    return waiting.get();
}

/// One byte is waited for; with it comes what has arrived. (getn alone would wait for as much as it was asked for.) How
/// much that is, is asked on the library's thread, which alone may know. Empty: the body's clean end.
pplx::task<std::string> next_bytes(const http::http_response& response) {
    Body body = response.body().streambuf();
    return body.bumpc().then([body](Body::int_type first) mutable -> std::string {
        if (first == Body::traits::eof()) return {};
        const std::size_t more = std::min(body.in_avail(), most_read_bytes);
        std::string read(1 + more, static_cast<char>(first));
        if (more > 0) read.resize(1 + body.getn(reinterpret_cast<std::uint8_t*>(read.data()) + 1, more).get());
        return read;
    });
}

Result<std::string> read_whole(const std::string& what, const http::http_response& response, std::size_t most_bytes,
                               Deadline deadline) {
    const auto too_large = [&] {
        return fail("TooLarge", what + ": the answer has more than " + std::to_string(most_bytes) + " bytes");
    };
    if (response.headers().has("Content-Length") && response.headers().content_length() > most_bytes)
        return too_large();
    std::string body;
    for (;;) {
        const auto part = await(what, next_bytes(response), deadline);
        if (!part) return part;
        if (part->empty()) return body;
        body += *part;
        if (body.size() > most_bytes) return too_large();
    }
}

class CpprestStream : public kube::ByteStream {
public:
    CpprestStream(const http::http_response& response, std::shared_ptr<Cancel> cancel, std::string what)
        : response_(response), cancel_(std::move(cancel)), what_(std::move(what)) {}
    ~CpprestStream() override { cancel(); }

    Result<std::string_view> read() override {
        auto bytes = await(what_, next_bytes(response_));
        if (!bytes) return tl::unexpected(bytes.error());
        buffer_ = std::move(*bytes);
        return std::string_view(buffer_);
    }

    void cancel() override { (*cancel_)(); }

private:
    http::http_response response_;
    std::shared_ptr<Cancel> cancel_;
    std::string what_;
    std::string buffer_;
};

struct Clients {
    TlsFiles tls;
    http::client::http_client requests;
    http::client::http_client watches;

    Clients(const std::string& server, TlsFiles files, const TransportOptions& options)
        : tls(std::move(files)),
          requests(server, config_of(tls, options.request_deadline)),
          watches(server, config_of(tls, options.watch_silence)) {}

    void add(const std::shared_ptr<Cancel>& stream) {
        const std::lock_guard lock(mutex_);
        std::erase_if(streams_, [](const auto& one) { return one.expired(); });
        streams_.push_back(stream);
    }

    void cut_streams() {
        const std::lock_guard lock(mutex_);
        for (const auto& one : streams_)
            if (const auto stream = one.lock()) (*stream)();
        streams_.clear();
    }

private:
    std::mutex mutex_;
    std::vector<std::weak_ptr<Cancel>> streams_;  // that were opened with these certificates
};

/// What a request begins with.
struct Access {
    std::shared_ptr<Clients> clients;
    std::string token;
};

}  // namespace

struct CpprestTransport::State {
    std::string server;
    std::shared_ptr<Credentials> who;
    std::string agent;
    TransportOptions options;
    std::mutex mutex;
    std::shared_ptr<Clients> clients;
    bool ended = false;

    Result<Access> access() {
        auto now = current();
        if (!now) return tl::unexpected(now.error());
        auto token = who->token();
        if (!token) return tl::unexpected(token.error());
        return Access{std::move(*now), std::move(*token)};
    }

    /// Those of the certificates as they are now.
    Result<std::shared_ptr<Clients>> current() {
        auto tls = who->tls();
        if (!tls) return tl::unexpected(tls.error());
        const std::lock_guard lock(mutex);
        if (clients && clients->tls == *tls) return clients;
        if (auto usable = check_tls(*tls); !usable) {
            // Half-written files will be whole in a moment.
            if (clients) return clients;
            return tl::unexpected(usable.error());
        }
        auto fresh = outcome(server, [&] { return std::make_shared<Clients>(server, *tls, options); });
        if (!fresh) return fresh;
        if (clients) clients->cut_streams();
        clients = std::move(*fresh);
        return clients;
    }

    struct Exchange {
        std::string what;  // for messages
        Deadline deadline;
        std::shared_ptr<Cancel> cancel = std::make_shared<Cancel>();
    };

    Exchange exchange(const std::string& method, const kube::Request& request) const {
        return {method + " " + server + request.path, std::chrono::steady_clock::now() + options.request_deadline};
    }

    Result<http::http_response> ask(http::client::http_client& client, const Exchange& now, const std::string& token,
                                    const kube::Request& request) const {
        auto asked = outcome(
            now.what, [&] { return client.request(http_request_of(request, token, agent), now.cancel->token()); });
        if (!asked) return tl::unexpected(asked.error());
        return await(now.what, std::move(*asked), now.deadline);
    }

    Result<kube::Response> read(const Exchange& now, const http::http_response& response) const {
        auto body = read_whole(now.what, response, options.most_body_bytes, now.deadline);
        if (!body) return tl::unexpected(body.error());
        return kube::Response{response.status_code(), std::move(*body), retry_after(response)};
    }

    Result<kube::Response> send(const Access& access, const kube::Request& request) const {
        const Exchange now = exchange(kube::method_of(request.verb), request);
        const auto response = ask(access.clients->requests, now, access.token, request);
        auto answer = response ? read(now, *response) : tl::unexpected(response.error());
        if (answer) return answer;
        (*now.cancel)();
        Error error = std::move(answer.error());
        if (error.reason == "Silent") error.reason = "DeadlineExceeded";
        if (request.verb != kube::Verb::Get) error.message += " (it may have been carried out all the same)";
        return tl::unexpected(std::move(error));
    }

    Result<kube::Response> send_once(const kube::Request& request) {
        auto now = access();
        if (!now) return tl::unexpected(now.error());
        auto response = send(*now, request);
        if (response && response->status == 401) who->refused(now->token);
        return response;
    }

    Result<std::unique_ptr<kube::ByteStream>> open(const Access& access, const kube::Request& request) {
        const Exchange now = exchange("watch", request);
        {
            const std::lock_guard lock(mutex);
            if (ended) return fail("Ending", now.what + ": no stream is opened any more");
            access.clients->add(now.cancel);
        }
        const auto response = ask(access.clients->watches, now, access.token, request);
        if (response && response->status_code() == http::status_codes::OK)
            return std::make_unique<CpprestStream>(*response, now.cancel, now.what);
        const auto refused = response ? read(now, *response) : tl::unexpected(response.error());
        (*now.cancel)();
        if (!refused) return tl::unexpected(refused.error());
        if (refused->status == 401) who->refused(access.token);
        return tl::unexpected(kube::read_response(*refused).error());
    }
};

CpprestTransport::CpprestTransport(std::unique_ptr<State> state) : state_(std::move(state)) {}

CpprestTransport::~CpprestTransport() { end_streams(); }

void CpprestTransport::end_streams() {
    const std::lock_guard lock(state_->mutex);
    state_->ended = true;
    if (state_->clients) state_->clients->cut_streams();
}

Result<std::unique_ptr<CpprestTransport>> CpprestTransport::connect(std::string server,
                                                                    std::shared_ptr<Credentials> who,
                                                                    std::string user_agent, TransportOptions options) {
    if (server.find("://[") != std::string::npos)
        return fail("Unsupported",
                    server + ": the HTTP client cannot talk to an IPv6 address; give the server's host name");
    use_one_pool_thread();
    auto state = std::make_unique<State>();
    state->server = std::move(server);
    state->who = std::move(who);
    state->agent = std::move(user_agent);
    state->options = options;
    if (auto ready = state->current(); !ready) return tl::unexpected(ready.error());
    return std::unique_ptr<CpprestTransport>(new CpprestTransport(std::move(state)));
}

Result<kube::Response> CpprestTransport::send(const kube::Request& request) {
    auto response = state_->send_once(request);
    if (response && response->status == 401) return state_->send_once(request);
    // A kept connection that the server had closed shows only when it is used again.
    const bool broke = !response && response.error().reason == "Unreachable";
    if (broke && request.verb == kube::Verb::Get) return state_->send_once(request);
    return response;
}

Result<std::unique_ptr<kube::ByteStream>> CpprestTransport::open(const kube::Request& request) {
    for (bool again = false;; again = true) {
        const auto access = state_->access();
        if (!access) return tl::unexpected(access.error());
        auto stream = state_->open(*access, request);
        if (stream || stream.error().reason != "Unauthorized" || again) return stream;
    }
}

}  // namespace evaljob::cluster
