#include "operator/cluster/cpprest_transport.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <cpprest/http_client.h>
#include <pplx/threadpool.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

#include "operator/cluster/tls_context.hpp"

namespace evaljob::cluster {
namespace {

namespace http = web::http;

constexpr std::chrono::seconds request_timeout{30};
constexpr std::chrono::seconds watch_timeout{660};  // above the timeoutSeconds that a watch asks the server for
constexpr std::size_t most_read_bytes = 64U << 10U;

void use_one_pool_thread() {
    static const bool once = [] {
        crossplat::threadpool::initialize_with_threads(1);
        return true;
    }();
    static_cast<void>(once);
}

/// A peer that is gone without a word is noticed within 45 s.
void keep_alive(web::http::client::native_handle handle) {
    // cpprest hands out its Asio socket here.
    auto* socket = static_cast<boost::asio::ip::tcp::socket*>(handle);
    const auto set = [fd = socket->native_handle()](int level, int option, int value) {
        ::setsockopt(fd, level, option, &value, sizeof value);
    };
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 15);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set(IPPROTO_TCP, TCP_KEEPCNT, 3);
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, 45'000);
    set(IPPROTO_TCP, TCP_NODELAY, 1);
}

http::client::http_client_config config_of(const TlsFiles& tls, std::chrono::seconds timeout) {
    http::client::http_client_config config;
    config.set_timeout(timeout);
    config.set_max_redirects(0);  // they would carry the token elsewhere
    config.set_ssl_context_callback([tls](boost::asio::ssl::context& context) { restrict_tls(context, tls); });
    config.set_nativehandle_options(keep_alive);
    return config;
}

http::http_request http_request_of(const kube::Request& request, const std::string& token, const std::string& agent) {
    web::uri_builder uri(web::uri::encode_uri(request.path));
    for (const auto& [key, value] : request.query) uri.append_query(key, value);
    http::http_request made(kube::method_of(request.verb));
    made.set_request_uri(uri.to_uri());
    made.headers().add("Accept", "application/json");
    made.headers().add("User-Agent", agent);
    if (!token.empty()) made.headers().add("Authorization", "Bearer " + token);
    if (!request.content_type.empty()) made.set_body(utf8string(request.body), request.content_type);
    return made;
}

int retry_after(const http::http_response& response) {
    const auto header = response.headers().find("Retry-After");
    return header == response.headers().end() ? 0 : std::atoi(header->second.c_str());
}

/// The one place where a task's outcome is taken: an exception that nobody takes would end the program.
template <class Task>
auto outcome(const std::string& what, Task&& task) -> Result<decltype(task())> {
    try {
        return task();
    } catch (const std::exception& error) {
        return fail("Unreachable", what + ": " + error.what(), true);
    }
}

using Cancel = pplx::cancellation_token_source;

class CpprestStream : public kube::ByteStream {
public:
    CpprestStream(const http::http_response& response, std::shared_ptr<Cancel> cancel, std::string what)
        : body_(response.body()), cancel_(std::move(cancel)), what_(std::move(what)) {}

    Result<std::string_view> read() override {
        auto bytes = outcome(what_, [this] { return read_some(); });
        if (!bytes) return tl::unexpected(bytes.error());
        buffer_ = std::move(*bytes);
        return std::string_view(buffer_);
    }

    void cancel() override { cancel_->cancel(); }

private:
    /// One byte is waited for; with it comes what has arrived. (getn alone would wait for as much as it was asked for.)
    std::string read_some() {
        auto bytes = body_.streambuf();
        const auto first = bytes.bumpc().get();
        if (first == decltype(bytes)::traits::eof()) return {};  // a clean end
        const std::size_t more = std::min(bytes.in_avail(), most_read_bytes);
        std::string read(1 + more, static_cast<char>(first));
        if (more == 0) return read;
        const std::size_t got = bytes.getn(reinterpret_cast<std::uint8_t*>(read.data()) + 1, more).get();
        read.resize(1 + got);
        return read;
    }

    concurrency::streams::istream body_;
    std::shared_ptr<Cancel> cancel_;
    std::string what_;
    std::string buffer_;
};

struct Clients {
    TlsFiles tls;
    http::client::http_client requests;
    http::client::http_client watches;

    Clients(const std::string& server, TlsFiles files)
        : tls(std::move(files)),
          requests(server, config_of(tls, request_timeout)),
          watches(server, config_of(tls, watch_timeout)) {}

    void add(const std::shared_ptr<Cancel>& stream) {
        const std::lock_guard lock(mutex_);
        std::erase_if(streams_, [](const auto& one) { return one.expired(); });
        streams_.push_back(stream);
    }

    void cut_streams() {
        const std::lock_guard lock(mutex_);
        for (const auto& one : streams_)
            if (const auto stream = one.lock()) stream->cancel();
        streams_.clear();
    }

private:
    std::mutex mutex_;
    std::vector<std::weak_ptr<Cancel>> streams_;  // that were opened with these certificates
};

}  // namespace

struct CpprestTransport::State {
    std::string server;
    std::shared_ptr<Credentials> who;
    std::string agent;
    std::mutex mutex;
    std::shared_ptr<Clients> clients;
    bool ended = false;

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
        auto fresh = outcome(server, [&] { return std::make_shared<Clients>(server, *tls); });
        if (!fresh) return fresh;
        if (clients) clients->cut_streams();
        clients = std::move(*fresh);
        return clients;
    }

    Result<kube::Response> send_once(const kube::Request& request) {
        const auto now = current();
        if (!now) return tl::unexpected(now.error());
        const auto token = who->token();
        if (!token) return tl::unexpected(token.error());
        const std::string what = std::string(kube::method_of(request.verb)) + " " + server + request.path;
        return outcome(what, [&] {
            auto response = (*now)->requests.request(http_request_of(request, *token, agent)).get();
            auto body = response.extract_utf8string(true).get();
            return kube::Response{response.status_code(), std::move(body), retry_after(response)};
        });
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
                                                                    std::string user_agent) {
    use_one_pool_thread();
    auto state = std::make_unique<State>();
    state->server = std::move(server);
    state->who = std::move(who);
    state->agent = std::move(user_agent);
    if (auto ready = state->current(); !ready) return tl::unexpected(ready.error());
    return std::unique_ptr<CpprestTransport>(new CpprestTransport(std::move(state)));
}

Result<kube::Response> CpprestTransport::send(const kube::Request& request) {
    auto response = state_->send_once(request);
    if (response && response->status == 401) {
        state_->who->refused();
        return state_->send_once(request);
    }
    // A kept connection that the server had closed shows only when it is used again.
    if (!response && request.verb == kube::Verb::Get) return state_->send_once(request);
    return response;
}

Result<std::unique_ptr<kube::ByteStream>> CpprestTransport::open(const kube::Request& request) {
    const auto clients = state_->current();
    if (!clients) return tl::unexpected(clients.error());
    const auto token = state_->who->token();
    if (!token) return tl::unexpected(token.error());
    const std::string what = "watch " + state_->server + request.path;
    const auto cancel = std::make_shared<Cancel>();
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->ended) return fail("Ending", what + ": no stream is opened any more");
        (*clients)->add(cancel);
    }
    auto response = outcome(what, [&] {
        return (*clients)->watches.request(http_request_of(request, *token, state_->agent), cancel->get_token()).get();
    });
    if (!response) return tl::unexpected(response.error());
    if (response->status_code() != http::status_codes::OK) {
        if (response->status_code() == http::status_codes::Unauthorized) state_->who->refused();
        auto body = outcome(what, [&] { return response->extract_utf8string(true).get(); });
        if (!body) return tl::unexpected(body.error());
        const kube::Response refused{response->status_code(), std::move(*body), retry_after(*response)};
        return tl::unexpected(kube::read_response(refused).error());
    }
    return std::make_unique<CpprestStream>(*response, cancel, what);
}

}  // namespace evaljob::cluster
