// The HTTP client of engine OpenAI on real sockets, one fault at a time; conversation_test.cpp mixes them.
#include "evaljob-runner/engine/openai/http_client.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>
#include <optional>

#include "api/base64.hpp"
#include "tests/unit/cluster/bad_server.hpp"
#include "tests/unit/engine/scripted_server.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::openai {
namespace {

using test::Asked;
using test::do_it;
using test::say;
using test::ScriptedServer;
using test::Step;
using test::whole_answer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Kind = Exchange::Kind;
namespace asio = boost::asio;

class HttpClientTest : public testing::Test {
protected:
    HttpClientTest() {
        destination_.url = {false, "127.0.0.1", server_.port(), "/v1"};
        pace_.rest = {};
    }

    HttpClient& client() {
        if (!client_) client_ = std::make_unique<HttpClient>(io_, destination_, pace_);
        return *client_;
    }

    Exchange wait_for(asio::awaitable<Exchange> work) {
        std::optional<Exchange> result;
        asio::co_spawn(io_, std::move(work), [&](const std::exception_ptr& thrown, Exchange exchange) {
            result = thrown ? failed("an exception") : std::move(exchange);
        });
        while (!result) io_.run_one();
        return *result;
    }
    static Exchange failed(const std::string& why) {
        Exchange exchange;
        exchange.why = why;
        return exchange;
    }
    static HttpClient::Time soon() { return std::chrono::steady_clock::now() + std::chrono::minutes(5); }

    Exchange post(const std::string& body) { return wait_for(client().post("/chat/completions", body, soon())); }
    Exchange get() { return wait_for(client().get("/models", soon())); }

    /// What came of a question: the body, or "KIND: why".
    std::string told(const Exchange& exchange) {
        constexpr const char* names[] = {"",     "NoConnection", "NotTrusted", "Lost",
                                         "Late", "TooLong",      "Garbled",    "HoldsKey"};
        if (exchange.kind != Kind::Answered) return names[static_cast<int>(exchange.kind)] + (": " + exchange.why);
        return (exchange.status == 200 ? "" : std::to_string(exchange.status) + ": ") + exchange.body;
    }
    std::string ask(const std::string& question) { return told(post(question)); }

    virtual std::vector<Step> answer(const Asked& asked) {
        if (const auto found = script_.find(asked.body); found != script_.end()) return found->second;
        return {say(whole_answer(200, "answer to " + asked.body))};
    }

    asio::io_context io_{1};
    ScriptedServer server_{io_, [this](const Asked& asked) { return answer(asked); }};
    std::map<std::string, std::vector<Step>> script_;  // by the body of the request
    Destination destination_;
    HttpPace pace_;
    std::unique_ptr<HttpClient> client_;
};

std::string hints(int count) {
    std::string bytes;
    for (int i = 0; i < count; ++i) bytes += "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    return bytes;
}

struct AnswerRow {
    const char* name;
    std::string bytes;  // for the first question
    std::string told;
    int connections;  // after two more questions
    bool closes = false;
};

class AnswersOnConnections : public HttpClientTest, public testing::WithParamInterface<AnswerRow> {};

TEST_P(AnswersOnConnections, AreThoseToTheirQuestions) {
    script_["a"] = {say(GetParam().bytes)};
    if (GetParam().closes) script_["a"].push_back(do_it(Step::Kind::Close));
    EXPECT_EQ(ask("a"), GetParam().told);
    EXPECT_EQ(ask("b"), "answer to b");
    EXPECT_EQ(ask("c"), "answer to c");
    EXPECT_EQ(server_.connections(), GetParam().connections);
}

const std::string good = whole_answer(200, "A");

INSTANTIATE_TEST_SUITE_P(
    Table, AnswersOnConnections,
    testing::Values(
        AnswerRow{"Whole", good, "A", 1}, AnswerRow{"Empty", whole_answer(200, ""), "", 1},
        AnswerRow{"BehindHints", hints(8) + good, "A", 1},
        AnswerRow{"BehindContinue", "HTTP/1.1 100 Continue\r\n\r\n" + good, "A", 1},
        AnswerRow{"BehindTooManyHints", hints(200) + good, "Lost: header limit exceeded", 2},
        AnswerRow{"AnotherProtocol", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n" + good, "Lost: bad status", 2},
        AnswerRow{"InChunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\nA\r\n0\r\n\r\n", "A", 1},
        AnswerRow{"WithTrailers",
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\nContent-Encoding: gzip\r\n\r\n",
                  "A", 1},
        AnswerRow{"NoContent", "HTTP/1.1 204 No Content\r\n\r\n", "204: ", 1},
        AnswerRow{"NotModified", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "304: ", 1},
        AnswerRow{"NoContentWithContent", "HTTP/1.1 204 X\r\nContent-Length: 1\r\n\r\nA", "204: ", 3},
        AnswerRow{"AsLongAsTheConnection", "HTTP/1.1 200 OK\r\n\r\nA", "A", 2, true},
        AnswerRow{"Closing", whole_answer(200, "A", "Connection: close\r\n"), "A", 2},
        AnswerRow{"OfOldHttp", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nA", "A", 2},
        AnswerRow{"OfOldHttpKept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nA", "A", 1},
        // From then on each request has a connection of its own.
        AnswerRow{"Twice", good + good, "A", 3}, AnswerRow{"WithBytesBehind", good + "x", "A", 3},
        AnswerRow{"WithHintsBehind", good + hints(1), "A", 3},
        AnswerRow{"WithBytesBehindChunks",
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n\r\n" + good, "A", 3},
        AnswerRow{"InAnotherTransferEncoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nA",
                  "Lost: bad Transfer-Encoding", 2, true},
        AnswerRow{"Half", good.substr(0, good.size() - 1), "Lost: it closed the connection before its answer was whole",
                  2, true},
        AnswerRow{"NoHttp", "220 smtp ready\r\n\r\n", "Lost: bad version", 2}),
    [](const auto& row) { return row.param.name; });

TEST_F(HttpClientTest, WhatComesWhileNothingIsAskedIsNoAnswer) {
    EXPECT_EQ(ask("a"), "answer to a");
    server_.blurt(whole_answer(200, "to whom?"));
    EXPECT_EQ(ask("b"), "answer to b");
    EXPECT_EQ(ask("c"), "answer to c");
    EXPECT_EQ(server_.connections(), 3) << "such a server's connections are not kept any more";
}

TEST_F(HttpClientTest, AServerMaySayThatItWaitedTooLong) {
    EXPECT_EQ(ask("a"), "answer to a");
    server_.blurt("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(ask("b"), "answer to b");
    EXPECT_EQ(ask("c"), "answer to c");
    EXPECT_EQ(server_.connections(), 2);
}

TEST_F(HttpClientTest, AConnectionThatWasClosedMeanwhileCostsNothing) {
    EXPECT_EQ(ask("a"), "answer to a");
    server_.close_all();
    EXPECT_EQ(ask("b"), "answer to b");
    EXPECT_EQ(server_.asked().size(), 2U);
}

TEST_F(HttpClientTest, AQuestionThatMayHaveBeenAnsweredIsNotAskedAgainUnseen) {
    script_["b"] = {do_it(Step::Kind::Close)};
    EXPECT_EQ(ask("a"), "answer to a");
    EXPECT_EQ(ask("b"), "Lost: it closed the connection before its answer was whole");
    EXPECT_EQ(server_.asked().size(), 2U);
}

TEST_F(HttpClientTest, TheListOfModelsIs) {
    EXPECT_EQ(ask("a"), "answer to a");
    int times = 0;
    script_[""] = {do_it(Step::Kind::Reset)};
    const Exchange lost = get();
    for (const Asked& asked : server_.asked()) times += asked.has("GET /v1/models ") ? 1 : 0;
    EXPECT_EQ(times, 2) << "once on the kept connection, once on a new one";
    EXPECT_EQ(lost.kind, Kind::Lost);
}

TEST_F(HttpClientTest, AConnectionRestsBeforeItIsUsedAgain) {
    pace_.rest = std::chrono::milliseconds(50);
    EXPECT_EQ(ask("a"), "answer to a");
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(ask("b"), "answer to b");
    EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(40));
    EXPECT_EQ(server_.connections(), 1);
}

// What is sent

TEST_F(HttpClientTest, HeadersAndQueryStandInEachRequest) {
    destination_.query = "?api-version=2024-10-21";
    destination_.headers = {{"api-key", "0123456789abcdef"}, {"User-Agent", "mine"}};
    EXPECT_EQ(ask("a"), "answer to a");
    get();
    ASSERT_EQ(server_.asked().size(), 2U);
    EXPECT_THAT(server_.asked()[0].head, HasSubstr("POST /v1/chat/completions?api-version=2024-10-21 HTTP/1.1\r\n"));
    EXPECT_THAT(server_.asked()[1].head, HasSubstr("GET /v1/models?api-version=2024-10-21 HTTP/1.1\r\n"));
    for (const Asked& asked : server_.asked())
        EXPECT_THAT(asked.head, AllOf(HasSubstr("api-key: 0123456789abcdef\r\n"), HasSubstr("User-Agent: mine\r\n"),
                                      HasSubstr("Host: 127.0.0.1:" + server_.port() + "\r\n"),
                                      HasSubstr("Accept-Encoding: gzip\r\n")));
}

// gzip of "compressed"
const std::string compressed = base64_decode("H4sIAAAAAAACA0vOzy0oSi0uTk0BAB5LVpcKAAAA").value();

TEST_F(HttpClientTest, CompressedAnswersAreReadAndDamagedOnesSaid) {
    const auto in_gzip = [](int status, const std::string& body) {
        return std::vector<Step>{say(whole_answer(status, body, "Content-Encoding: gzip\r\n"))};
    };
    script_["good"] = in_gzip(200, compressed);
    script_["refused"] = in_gzip(429, compressed);
    script_["cut"] = in_gzip(200, compressed.substr(0, 20));
    script_["refused and cut"] = in_gzip(429, compressed.substr(0, 20));
    script_["other"] = {say(whole_answer(200, "x", "Content-Encoding: br\r\n"))};
    EXPECT_EQ(ask("good"), "compressed");
    EXPECT_EQ(ask("refused"), "429: compressed");
    EXPECT_EQ(ask("cut"), "Garbled: its gzip body is damaged: it ends early");
    EXPECT_THAT(ask("refused and cut"), HasSubstr("429: its gzip body is damaged"));
    EXPECT_THAT(ask("other"), HasSubstr("Garbled: its body has the encoding br, which nobody asked for"));
}

// Keys

TEST_F(HttpClientTest, AServerThatSaysTheKeyBackPutsItNowhere) {
    const std::string key = "sk-0123456789abcdef";
    destination_.headers = {{"Authorization", "Bearer " + key}};
    destination_.secrets.add(key);
    destination_.secrets.add("EMPTY");
    script_["refuse"] = {say(whole_answer(401, R"({"error":"no such key: Bearer )" + key + R"("})"))};
    script_["redirect"] = {say(whole_answer(307, "", "Location: http://elsewhere/?key=" + key + "\r\n"))};
    script_["answer"] = {say(whole_answer(200, "the key is " + key))};
    script_["short"] = {say(whole_answer(200, "the set is EMPTY"))};
    EXPECT_EQ(ask("refuse"), R"(401: {"error":"no such key: Bearer [key]"})");
    const Exchange redirect = post("redirect");
    EXPECT_EQ(redirect.location, "http://elsewhere/?key=[key]");
    EXPECT_EQ(redirect.status, 307) << "redirects are not followed";
    EXPECT_EQ(ask("answer"), "HoldsKey: the server's answer holds a key that was sent to it");
    EXPECT_EQ(ask("short"), "the set is EMPTY") << "an answer is never changed";
}

// Proxies

TEST_F(HttpClientTest, AProxyIsAskedForTheWholeUrl) {
    destination_.url = {false, "server.example", "8000", "/v1"};
    destination_.query = "?a=b";
    destination_.headers = {{"Authorization", "Bearer sk-for-the-server"}};
    destination_.proxy = ProxyServer{"127.0.0.1", server_.port(), "me", "pass", "HTTP_PROXY"};
    EXPECT_EQ(ask("a"), "answer to a");
    EXPECT_EQ(ask("b"), "answer to b");
    EXPECT_EQ(server_.connections(), 1);
    EXPECT_THAT(server_.asked().at(0).head,
                AllOf(HasSubstr("POST http://server.example:8000/v1/chat/completions?a=b HTTP/1.1\r\n"),
                      HasSubstr("Host: server.example:8000\r\n"),
                      HasSubstr("Proxy-Authorization: Basic " + base64_encode("me:pass") + "\r\n")));
}

TEST_F(HttpClientTest, AProxyThatMakesNoTunnelGetsNoKey) {
    destination_.url = {true, "server.example", "443", "/v1"};
    destination_.headers = {{"Authorization", "Bearer sk-for-the-server"}, {"api-key", "another"}};
    destination_.proxy = ProxyServer{"127.0.0.1", server_.port(), "", "", "HTTPS_PROXY"};
    script_[""] = {say("HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n")};
    EXPECT_THAT(ask("a"),
                AllOf(HasSubstr("407: the proxy 127.0.0.1:"), HasSubstr(" does not connect to server.example:443")));
    const std::string& head = server_.asked().at(0).head;
    EXPECT_THAT(head, HasSubstr("CONNECT server.example:443 HTTP/1.1\r\n"));
    EXPECT_THAT(head, AllOf(Not(HasSubstr("uthorization")), Not(HasSubstr("api-key"))));
}

/// A proxy that makes tunnels to anywhere.
class Tunnels {
public:
    explicit Tunnels(asio::io_context& io) : io_(io), acceptor_(io, {asio::ip::address_v4::loopback(), 0}) {
        asio::co_spawn(io_, accept(), asio::detached);
    }
    std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }
    const std::vector<std::string>& heads() const { return heads_; }

private:
    using Socket = asio::ip::tcp::socket;
    using SocketPtr = std::shared_ptr<Socket>;

    asio::awaitable<void> accept() {
        for (;;) {
            Socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
            asio::co_spawn(io_, serve(std::make_shared<Socket>(std::move(socket))), asio::detached);
        }
    }
    asio::awaitable<void> serve(SocketPtr client) {
        std::string head;
        co_await asio::async_read_until(*client, asio::dynamic_buffer(head), "\r\n\r\n", asio::use_awaitable);
        heads_.push_back(head);
        const std::size_t begin = head.find(':') + 1;
        const auto port = static_cast<std::uint16_t>(std::stoi(head.substr(begin)));
        auto server = std::make_shared<Socket>(io_);
        const asio::ip::tcp::endpoint place(asio::ip::address_v4::loopback(), port);
        co_await server->async_connect(place, asio::use_awaitable);
        const std::string yes = "HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\n";
        co_await asio::async_write(*client, asio::buffer(yes), asio::use_awaitable);
        asio::co_spawn(io_, pump(client, server), asio::detached);
        asio::co_spawn(io_, pump(server, client), asio::detached);
    }
    static asio::awaitable<void> pump(SocketPtr from, SocketPtr to) {
        std::string block(4096, '\0');
        boost::system::error_code error;
        for (;;) {
            const std::size_t got =
                co_await from->async_read_some(asio::buffer(block), asio::redirect_error(asio::use_awaitable, error));
            if (error) break;
            co_await asio::async_write(*to, asio::buffer(block.data(), got),
                                       asio::redirect_error(asio::use_awaitable, error));
            if (error) break;
        }
        to->close(error);
    }

    asio::io_context& io_;
    asio::ip::tcp::acceptor acceptor_;
    std::vector<std::string> heads_;
};

TEST_F(HttpClientTest, AServerIsSpokenWithThroughATunnelThatReadsNothing) {
    test::TemporaryFolder folder;
    const test::KeyPair authority = test::make_authority("authority");
    folder.write("authority.pem", authority.certificate);
    ::setenv("SSL_CERT_FILE", (folder / "authority.pem").c_str(), 1);
    test::BadServer https({.certificate = test::make_certificate({"server"}, &authority)},
                          [](test::Conversation& conversation, const test::Heard& heard) {
                              conversation.reply(200, heard.target + " " + heard.authorization + " " + heard.body);
                          });
    Tunnels proxy(io_);
    destination_.url = {true, "localhost", std::to_string(https.port()), "/v1"};
    destination_.headers = {{"Authorization", "Bearer sk-for-the-server"}};
    destination_.proxy = ProxyServer{"127.0.0.1", proxy.port(), "me", "pass", "HTTPS_PROXY"};
    EXPECT_EQ(ask("a"), "/v1/chat/completions Bearer sk-for-the-server a");
    EXPECT_EQ(ask("b"), "/v1/chat/completions Bearer sk-for-the-server b");
    ::unsetenv("SSL_CERT_FILE");
    ASSERT_EQ(proxy.heads().size(), 1U);
    EXPECT_THAT(proxy.heads()[0], AllOf(HasSubstr("CONNECT localhost:" + std::to_string(https.port()) + " HTTP/1.1"),
                                        HasSubstr("Proxy-Authorization: Basic " + base64_encode("me:pass")),
                                        Not(HasSubstr("sk-for-the-server"))));
    client_.reset();
    io_.poll();
}

// Silence

TEST_F(HttpClientTest, AServerThatStoppedListeningWithoutClosingHoldsNoRequest) {
    pace_.look_every = std::chrono::milliseconds(5);
    pace_.silence.least = pace_.silence.before_any_answer = std::chrono::milliseconds(30);
    script_["stall"] = {do_it(Step::Kind::Stall)};
    EXPECT_EQ(ask("a"), "answer to a");
    server_.stop_listening();
    EXPECT_THAT(ask("stall"), AllOf(HasSubstr("Lost: it was silent for"), HasSubstr("nobody listens at its port")));
}

}  // namespace
}  // namespace evaljob::openai
