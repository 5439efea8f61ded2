#include "tests/unit/cluster/bad_server.hpp"

#include <sys/socket.h>

#include <atomic>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

namespace evaljob::test {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

std::string client_of(SSL* ssl) {
    X509* certificate = SSL_get1_peer_certificate(ssl);
    if (!certificate) return {};
    char name[256] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
    X509_free(certificate);
    return name;
}

/// Blocking: used by its own thread alone, except for end(). Without TLS only the socket below it is used.
class TlsConversation : public Conversation {
public:
    TlsConversation(asio::io_context& io, asio::ssl::context& tls, bool plain) : stream(io, tls), plain_(plain) {}

    ErrorCode begin() {
        ErrorCode error;
        if (!plain_) stream.handshake(asio::ssl::stream_base::server, error);
        return error;
    }
    ErrorCode read(boost::beast::flat_buffer& buffer, http::request_parser<http::string_body>& parser) {
        ErrorCode error;
        if (plain_)
            http::read(stream.next_layer(), buffer, parser, error);
        else
            http::read(stream, buffer, parser, error);
        return error;
    }
    void write(std::string_view bytes) override {
        ErrorCode error;
        if (plain_)
            asio::write(stream.next_layer(), asio::buffer(bytes.data(), bytes.size()), error);
        else
            asio::write(stream, asio::buffer(bytes.data(), bytes.size()), error);
        if (error) open_ = false;
    }
    void await_close() override {
        char byte = 0;
        ErrorCode error;
        const auto into = asio::buffer(&byte, 1);
        while (!error) plain_ ? stream.next_layer().read_some(into, error) : stream.read_some(into, error);
        open_ = false;
    }
    bool is_open() const override { return open_; }
    void end_tls() override {
        ErrorCode ignored;
        stream.shutdown(ignored);
        close();
    }
    void close() override {
        const std::lock_guard lock(mutex_);
        ErrorCode ignored;
        stream.lowest_layer().close(ignored);
        open_ = false;
    }
    void reset() override {
        ErrorCode ignored;
        stream.lowest_layer().set_option(asio::socket_base::linger(true, 0), ignored);
        close();
    }
    /// From the server's thread: whatever waits on the socket goes on.
    void end() {
        const std::lock_guard lock(mutex_);
        if (stream.lowest_layer().is_open()) ::shutdown(stream.lowest_layer().native_handle(), SHUT_RDWR);
    }

    asio::ssl::stream<Tcp::socket> stream;

private:
    bool plain_;
    std::mutex mutex_;  // the socket's closing
    std::atomic<bool> open_ = true;
};

}  // namespace

void Conversation::reply(int status, std::string_view body, std::string_view more_headers) {
    write("HTTP/1.1 " + std::to_string(status) + " Status\r\nContent-Type: application/json\r\nContent-Length: " +
          std::to_string(body.size()) + "\r\n" + std::string(more_headers) + "\r\n" + std::string(body));
}

void Conversation::chunk(std::string_view bytes) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    write(size + std::string(bytes) + "\r\n");
}

struct BadServer::State {
    ServerOptions options;
    Script script;
    asio::io_context io;
    asio::ssl::context tls{asio::ssl::context::tls_server};
    Tcp::acceptor acceptor;
    mutable std::mutex mutex;
    bool ending = false;
    std::vector<Heard> heard;
    std::list<TlsConversation> conversations;
    std::list<std::thread> threads;
    std::thread accepting;

    State(ServerOptions given, Script what)
        : options(std::move(given)),
          script(std::move(what)),
          acceptor(io, Tcp::endpoint(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(options.port))) {
        if (!options.plain) use_tls();
        accepting = std::thread([this] { accept(); });
    }

    void use_tls() {
        tls.use_certificate_chain(asio::buffer(options.certificate.certificate));
        tls.use_private_key(asio::buffer(options.certificate.key), asio::ssl::context::pem);
        if (options.newest_tls != 0) {
            SSL_CTX_set_security_level(tls.native_handle(), 0);  // old versions at all
            SSL_CTX_set_min_proto_version(tls.native_handle(), 0);
            SSL_CTX_set_max_proto_version(tls.native_handle(), options.newest_tls);
        }
        if (!options.client_authority.empty()) {
            tls.add_certificate_authority(asio::buffer(options.client_authority));
            tls.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
        }
    }

    void accept() {
        for (;;) {
            Tcp::socket socket(io);
            ErrorCode error;
            acceptor.accept(socket, error);
            if (error) return;
            const std::lock_guard lock(mutex);
            if (ending) return;
            auto& one = conversations.emplace_back(io, tls, options.plain);
            one.stream.next_layer() = std::move(socket);
            threads.emplace_back([this, &one, number = static_cast<int>(conversations.size())] { talk(one, number); });
        }
    }

    void talk(TlsConversation& one, int number) {
        ErrorCode error = one.begin();
        boost::beast::flat_buffer buffer;
        while (!error && one.is_open()) {
            http::request_parser<http::string_body> parser;
            parser.body_limit(16U << 20U);
            error = one.read(buffer, parser);
            if (error) break;
            const auto& request = parser.get();
            Heard heard_now{std::string(request.method_string()),
                            std::string(request.target()),
                            std::string(request[http::field::authorization]),
                            request.body(),
                            options.plain ? "" : client_of(one.stream.native_handle()),
                            number};
            {
                const std::lock_guard lock(mutex);
                heard.push_back(heard_now);
            }
            script(one, heard_now);
        }
        one.close();
    }
};

BadServer::BadServer(ServerOptions options, Script script)
    : state_(std::make_unique<State>(std::move(options), std::move(script))) {}

BadServer::~BadServer() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->ending = true;
        ::shutdown(state_->acceptor.native_handle(), SHUT_RDWR);
    }
    state_->accepting.join();
    for (auto& one : state_->conversations) one.end();
    for (auto& thread : state_->threads) thread.join();
}

int BadServer::port() const { return state_->acceptor.local_endpoint().port(); }

std::string BadServer::url() const {
    return (state_->options.plain ? "http://127.0.0.1:" : "https://127.0.0.1:") + std::to_string(port());
}

std::vector<Heard> BadServer::heard() const {
    const std::lock_guard lock(state_->mutex);
    return state_->heard;
}

int BadServer::connections() const {
    const std::lock_guard lock(state_->mutex);
    return static_cast<int>(state_->conversations.size());
}

}  // namespace evaljob::test
