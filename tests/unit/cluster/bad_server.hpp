// An HTTPS or HTTP server on loopback that does whatever a test tells it to, byte by byte.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/cluster/certificates.hpp"

namespace evaljob::test {

/// A request as it arrived.
struct Heard {
    std::string verb;
    std::string target;
    std::string authorization;
    std::string body;
    std::string client;  // common name of the certificate that the client showed
    int connection = 0;  // the how manieth
};

/// One connection. What is written to a client that is gone is lost, without a word.
class Conversation {
public:
    virtual ~Conversation() = default;
    virtual void write(std::string_view bytes) = 0;
    /// Until the client closes the connection, or the server ends.
    virtual void await_close() = 0;
    virtual bool is_open() const = 0;
    virtual void end_tls() = 0;  // says so, as a server that ends well does
    virtual void close() = 0;    // without a word of TLS
    virtual void reset() = 0;    // RST

    /// A whole answer; the connection is kept.
    void reply(int status, std::string_view body, std::string_view more_headers = "");
    void begin_chunks() {
        write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    }
    void chunk(std::string_view bytes);
    void end_chunks() { write("0\r\n\r\n"); }
};

struct ServerOptions {
    KeyPair certificate;
    std::string client_authority;  // PEM; empty: none is asked for
    int newest_tls = 0;            // as OpenSSL numbers versions; 0: what it has
    bool plain = false;            // HTTP: no certificate is needed
    int port = 0;                  // 0: any
};

class BadServer {
public:
    /// Called for each request, on the connection's thread.
    using Script = std::function<void(Conversation&, const Heard&)>;

    BadServer(ServerOptions options, Script script);
    /// Closes every connection and waits for their threads.
    ~BadServer();

    int port() const;
    std::string url() const;
    std::vector<Heard> heard() const;
    int connections() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace evaljob::test
