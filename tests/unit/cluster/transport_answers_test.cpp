// Requests, and what a server can do to them.
#include <gmock/gmock.h>

#include <thread>

#include "tests/unit/cluster/transport_fixture.hpp"

namespace evaljob::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr cluster::TransportOptions impatient{std::chrono::milliseconds{500}, for_ever, 1U << 20U};
constexpr cluster::TransportOptions patient{for_ever, for_ever, 1U << 20U};

const std::string pod_list = R"({"kind":"PodList","items":[]})";

/// The same bytes again and again, for as long as somebody reads them.
void pour(Conversation& to, const std::string& bytes, std::chrono::milliseconds pause) {
    while (to.is_open()) {
        to.chunk(bytes);
        std::this_thread::sleep_for(pause);
    }
}

struct Answer {
    const char* name;
    BadServer::Script script;
    std::string outcome;  // "200", or an Error's reason
    int gets = 1;         // how often the server hears a GET
    cluster::TransportOptions options = patient;
};
void PrintTo(const Answer& row, std::ostream* out) { *out << row.name; }

const std::vector<Answer>& answers() {
    static const std::vector<Answer> rows{
        {"Whole", [](Conversation& to, const Heard&) { to.reply(200, pod_list); }, "200"},
        {"InChunks",
         [](Conversation& to, const Heard&) {
             to.begin_chunks();
             for (const char one : pod_list) to.chunk({&one, 1});
             to.end_chunks();
         },
         "200"},
        {"UntilTheConnectionEnds",
         [](Conversation& to, const Heard&) {
             to.write("HTTP/1.0 200 OK\r\n\r\n" + pod_list);
             to.end_tls();
         },
         "200"},
        {"RefusalsAreAnswers", [](Conversation& to, const Heard&) { to.reply(409, "{}"); }, "409"},
        {"ErrorsAreAnswers", [](Conversation& to, const Heard&) { to.reply(500, "no JSON"); }, "500"},
        {"HalfAChunk",
         [](Conversation& to, const Heard&) {
             to.begin_chunks();
             to.write("1f\r\n{\"kind\":");
             to.close();
         },
         "Unreachable", 2},
        {"ChunksWithoutEnd",
         [](Conversation& to, const Heard&) {
             to.begin_chunks();
             to.chunk(pod_list);
             to.close();
         },
         "Unreachable", 2},
        {"ShorterThanItSaid",
         [](Conversation& to, const Heard&) {
             to.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
             to.close();
         },
         "Unreachable", 2},
        {"ClosedWithoutAnAnswer", [](Conversation& to, const Heard&) { to.close(); }, "Unreachable", 2},
        {"Reset", [](Conversation& to, const Heard&) { to.reset(); }, "Unreachable", 2},
        {"ResetInTheBody",
         [](Conversation& to, const Heard&) {
             to.begin_chunks();
             to.chunk(pod_list);
             to.reset();
         },
         "Unreachable", 2},
        {"NoHttp", [](Conversation& to, const Heard&) { to.write("SSH-2.0-OpenSSH\r\n\r\n"); }, "Unreachable", 2},
        {"Stalled", [](Conversation& to, const Heard&) { to.await_close(); }, "DeadlineExceeded", 1, impatient},
        {"StalledInTheBody",
         [](Conversation& to, const Heard&) {
             to.begin_chunks();
             to.chunk("{");
             to.await_close();
         },
         "DeadlineExceeded", 1, impatient},
        // Each byte comes in time, the whole never does.
        {"Dripping",
         [](Conversation& to, const Heard&) {
             to.begin_chunks();
             pour(to, " ", std::chrono::milliseconds{10});
         },
         "DeadlineExceeded", 1, impatient},
        {"BodyWithoutEnd",
         [](Conversation& to, const Heard&) {
             to.begin_chunks();
             pour(to, std::string(100'000, ' '), std::chrono::milliseconds{0});
         },
         "TooLarge"},
        {"BodyThatSaysItIsTooLarge",
         [](Conversation& to, const Heard&) {
             to.write("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{");
             to.await_close();
         },
         "TooLarge"},
    };
    return rows;
}

class Answers : public TransportTest, public testing::WithParamInterface<Answer> {
protected:
    std::string outcome_of(const kube::Request& request) {
        const auto response = transport->send(request);
        if (!response) message = response.error().message;
        return response ? std::to_string(response->status) : response.error().reason;
    }
    std::string message;
};

TEST_P(Answers, ToAGet) {
    serve(GetParam().script);
    connect(GetParam().options);
    EXPECT_EQ(outcome_of(read_pods()), GetParam().outcome) << message;
    EXPECT_LE(heard("GET"), GetParam().gets);  // the deadline of an impatient row may pass sooner
    EXPECT_TRUE(heard("GET") == GetParam().gets || GetParam().outcome == "DeadlineExceeded");
}

// One that may have been carried out is for the reconciler to look at, not for us to send again.
TEST_P(Answers, ToAWriteAreNotAskedForAgain) {
    serve(GetParam().script);
    connect(GetParam().options);
    EXPECT_EQ(outcome_of(make_pod()), GetParam().outcome) << message;
    EXPECT_LE(heard("POST"), 1);
    if (GetParam().outcome == "Unreachable") {
        EXPECT_THAT(message, HasSubstr("may have been carried out"));
    }
}

TEST_P(Answers, LeaveTheTransportWorking) {
    std::atomic<bool> bad = true;
    serve([&](Conversation& to, const Heard& what) { return bad ? GetParam().script(to, what) : to.reply(200, "{}"); });
    connect(GetParam().options);
    outcome_of(make_pod());
    bad = false;
    // The deadline of a bad row is too short to rely on.
    std::string now_it_is;
    while (now_it_is != "200") now_it_is = outcome_of(read_pods());
}

INSTANTIATE_TEST_SUITE_P(Rows, Answers, testing::ValuesIn(answers()), [](const auto& row) { return row.param.name; });

struct Header {
    const char* name;
    const char* header;
    int seconds;
};
void PrintTo(const Header& row, std::ostream* out) { *out << row.name; }
class RetryAfter : public TransportTest, public testing::WithParamInterface<Header> {};

TEST_P(RetryAfter, IsHandedOn) {
    for (const int status : {429, 503}) {
        serve([&](Conversation& to, const Heard&) { to.reply(status, "{}", GetParam().header); });
        connect();
        const auto response = transport->send(make_pod());
        ASSERT_TRUE(response.has_value()) << response.error().message;
        EXPECT_EQ(response->status, status);
        EXPECT_EQ(response->retry_after_seconds, GetParam().seconds);
        EXPECT_EQ(heard("POST"), 1);
    }
}
INSTANTIATE_TEST_SUITE_P(Rows, RetryAfter,
                         testing::Values(Header{"Seconds", "Retry-After: 7\r\n", 7}, Header{"None", "", 0},
                                         Header{"OtherCase", "retry-after:  3\r\n", 3},
                                         Header{"Date", "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n", 0},
                                         Header{"Negative", "Retry-After: -5\r\n", 0}),
                         [](const auto& row) { return row.param.name; });

TEST_F(TransportTest, RedirectsAreNotFollowed) {
    BadServer elsewhere({server_certificate}, [](Conversation& to, const Heard&) { to.reply(200, "{}"); });
    std::atomic<int> status = 0;
    serve([&](Conversation& to, const Heard&) { to.reply(status, "{}", "Location: " + elsewhere.url() + "/\r\n"); });
    connect();
    for (const int code : {301, 302, 303, 307, 308}) {
        status = code;
        for (const auto& request : {read_pods(), make_pod()}) {
            const auto response = transport->send(request);
            ASSERT_TRUE(response.has_value()) << response.error().message;
            EXPECT_EQ(response->status, code);
        }
        EXPECT_FALSE(transport->open(watch_pods()).has_value());
    }
    EXPECT_EQ(elsewhere.connections(), 0) << "nobody else sees the token";
}

// ---- connections

TEST_F(TransportTest, AConnectionIsKept) {
    serve([](Conversation& to, const Heard&) { to.reply(200, "{}"); });
    connect();
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(transport->send(read_pods()).has_value());
    EXPECT_EQ(server->connections(), 1);
}

TEST_F(TransportTest, AGetOverAConnectionThatTheServerClosedIsSentAgain) {
    serve([](Conversation& to, const Heard&) {
        to.reply(200, "{}");
        to.close();
    });
    connect();
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(transport->send(read_pods()).has_value());
}

TEST_F(TransportTest, AWriteOverAKeptConnectionIsNeverSentTwice) {
    serve([](Conversation& to, const Heard& request) {
        if (request.verb == "GET") return to.reply(200, "{}");
        to.close();  // carried out, but its answer is lost
    });
    connect();
    for (const kube::Request& write :
         {make_pod(), kube::remove(kube::pods, "default", "a", "u", 0), kube::replace(kube::pods, "default", "a", {}),
          kube::patch_status(kube::pods, "default", "a", "1", {})}) {
        ASSERT_TRUE(transport->send(read_pods()).has_value());
        const std::size_t before = server->heard().size();
        const auto answer = transport->send(write);
        ASSERT_FALSE(answer.has_value());
        EXPECT_EQ(answer.error().reason, "Unreachable");
        EXPECT_TRUE(answer.error().retry);
        EXPECT_THAT(answer.error().message, HasSubstr("may have been carried out"));
        EXPECT_EQ(server->heard().size(), before + 1) << "it would have been carried out twice";
    }
}

TEST_F(TransportTest, NobodyListens) {
    serve([](Conversation&, const Heard&) {});
    connect();
    server.reset();
    for (const auto& request : {read_pods(), make_pod()}) {
        const auto answer = transport->send(request);
        ASSERT_FALSE(answer.has_value());
        EXPECT_EQ(answer.error().reason, "Unreachable");
        EXPECT_TRUE(answer.error().retry);
        EXPECT_THAT(answer.error().message, HasSubstr(access.server + request.path));
    }
    EXPECT_FALSE(transport->open(watch_pods()).has_value());
}

TEST_F(TransportTest, BodiesArriveWhole) {
    const std::string large = Json{{"text", std::string(2'000'000, 'x')}}.dump();
    serve([&](Conversation& to, const Heard& request) {
        to.reply(200, request.verb == "GET" ? large : std::to_string(request.body.size()));
    });
    connect();
    const auto read = transport->send(read_pods());
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->body, large);
    const auto written = transport->send(kube::create(kube::pods, "default", Json::parse(large)));
    ASSERT_TRUE(written.has_value()) << written.error().message;
    EXPECT_EQ(written->body, std::to_string(large.size()));
}

TEST_F(TransportTest, AServerBehindAPath) {
    serve([](Conversation& to, const Heard&) { to.reply(200, "{}"); });
    access.server += "/k8s/clusters/one";
    connect();
    kube::Request next_page = read_pods();
    next_page.query["continue"] = "a+b/c=&d e";
    EXPECT_TRUE(transport->send(next_page).has_value());
    EXPECT_EQ(server->heard().at(0).target,
              "/k8s/clusters/one/api/v1/namespaces/default/pods?continue=a%2Bb/c%3D%26d%20e");
}

// ---- who we are

TEST_F(TransportTest, ANewTokenIsTakenAtOnceWhenTheOldOneIsRefused) {
    serve([](Conversation& to, const Heard& request) {
        to.reply(request.authorization == "Bearer second-token" ? 200 : 401, "{}");
    });
    connect();
    EXPECT_EQ(transport->send(make_pod())->status, 401);
    write("token", "second-token");
    EXPECT_EQ(transport->send(make_pod())->status, 200) << "the one refusal is not the caller's";
    EXPECT_EQ(transport->send(make_pod())->status, 200);
    EXPECT_EQ(heard("POST"), 4) << "twice in vain, then once each";
}

TEST_F(TransportTest, AWatchIsOpenedWithTheNewTokenWhenTheOldOneIsRefused) {
    serve([](Conversation& to, const Heard& request) {
        to.reply(request.authorization == "Bearer second-token" ? 200 : 401, "{}");
    });
    connect();
    const auto refused = transport->open(watch_pods());
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().reason, "Unauthorized");
    write("token", "second-token");
    EXPECT_TRUE(transport->open(watch_pods()).has_value());
}

TEST_F(TransportTest, NoMessageHasTheTokenInIt) {
    serve([](Conversation& to, const Heard&) { to.reset(); });
    connect();
    EXPECT_THAT(transport->send(make_pod()).error().message, Not(HasSubstr("first-token")));
    EXPECT_THAT(transport->open(watch_pods()).error().message, Not(HasSubstr("first-token")));
}

}  // namespace
}  // namespace evaljob::test
