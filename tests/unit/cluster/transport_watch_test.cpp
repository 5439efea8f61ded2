// Watches, and what a server, a network and our own threads can do to them.
#include <gmock/gmock.h>

#include <future>
#include <thread>

#include "operator/kube/source.hpp"
#include "tests/unit/cluster/transport_fixture.hpp"

namespace evaljob::test {
namespace {

using testing::ElementsAre;

constexpr cluster::TransportOptions quick_to_notice{for_ever, std::chrono::milliseconds{300}};

std::string event(const std::string& name, const std::string& version, const std::string& text = "") {
    return Json{{"type", "ADDED"},
                {"object", {{"metadata", {{"name", name}, {"resourceVersion", version}}}, {"text", text}}}}
               .dump() +
           "\n";
}

/// Its lines, and how it ended: "end", or an Error's reason.
struct Seen {
    std::vector<kube::WatchEvent> events;
    std::string end;
    std::string broken;  // what the decoder said
    bool whole = false;  // ended between lines
};

Seen read_all(kube::ByteStream& stream) {
    Seen seen;
    kube::WatchDecoder decoder;
    for (;;) {
        const auto bytes = stream.read();
        seen.whole = decoder.at_boundary();
        seen.end = !bytes ? bytes.error().reason : bytes->empty() ? "end" : "";
        if (!seen.end.empty()) return seen;
        auto events = decoder.feed(*bytes);
        if (!events) {
            seen.broken = events.error().reason;
            return seen;
        }
        for (auto& one : *events) seen.events.push_back(std::move(one));
    }
}

struct Ending {
    const char* name;
    std::function<void(Conversation&)> ends;
    const char* end;
    bool whole = true;
    cluster::TransportOptions options{for_ever, for_ever};
};
void PrintTo(const Ending& row, std::ostream* out) { *out << row.name; }
class WatchEnds : public TransportTest, public testing::WithParamInterface<Ending> {};

TEST_P(WatchEnds, AsItDid) {
    std::promise<void> opened;
    serve([is_open = opened.get_future().share()](Conversation& to, const Heard&) {
        to.begin_chunks();
        to.chunk(event("a", "6"));
        is_open.wait();  // a reset overtakes what was sent before
        GetParam().ends(to);
    });
    connect(GetParam().options);
    const auto stream = transport->open(watch_pods());
    ASSERT_TRUE(stream.has_value()) << stream.error().message;
    opened.set_value();
    const Seen seen = read_all(**stream);
    EXPECT_EQ(seen.end, GetParam().end);
    // What came with the break may be lost: the watch resumes behind what was read.
    if (seen.end == std::string("end")) {
        EXPECT_EQ(seen.events.size(), 1U);
    }
    if (seen.end != std::string("Unreachable")) {
        EXPECT_EQ(seen.whole, GetParam().whole);
    }
}

INSTANTIATE_TEST_SUITE_P(Rows, WatchEnds,
                         testing::Values(Ending{"Cleanly", [](Conversation& to) { to.end_chunks(); }, "end"},
                                         Ending{"InsideALine",
                                                [](Conversation& to) {
                                                    to.chunk(R"({"type":"ADDED","obj)");
                                                    to.end_chunks();
                                                },
                                                "end", false},
                                         Ending{"InsideAChunk",
                                                [](Conversation& to) {
                                                    to.write("1f\r\n{\"type\":");
                                                    to.close();
                                                },
                                                "Unreachable"},
                                         Ending{"BetweenChunks", [](Conversation& to) { to.close(); }, "Unreachable"},
                                         Ending{"ByAReset", [](Conversation& to) { to.reset(); }, "Unreachable"},
                                         Ending{"InSilence", [](Conversation& to) { to.await_close(); }, "Silent", true,
                                                quick_to_notice},
                                         Ending{"InSilenceInsideALine",
                                                [](Conversation& to) {
                                                    to.chunk(R"({"type":)");
                                                    to.await_close();
                                                },
                                                "Silent", false, quick_to_notice}),
                         [](const auto& row) { return row.param.name; });

struct Cut {
    const char* name;
    std::size_t text_bytes;
    std::size_t chunk_bytes;
};
void PrintTo(const Cut& row, std::ostream* out) { *out << row.name; }
class WatchCut : public TransportTest, public testing::WithParamInterface<Cut> {};

TEST_P(WatchCut, Anywhere) {
    std::string text;
    while (text.size() < GetParam().text_bytes) text += "é世🙂";
    serve([&](Conversation& to, const Heard&) {
        to.begin_chunks();
        const std::string bytes = event("a", "6", text) + event("b", "7", text);
        for (std::size_t i = 0; i < bytes.size(); i += GetParam().chunk_bytes)
            to.chunk(std::string_view(bytes).substr(i, GetParam().chunk_bytes));
        to.end_chunks();
    });
    connect();
    const auto stream = transport->open(watch_pods());
    ASSERT_TRUE(stream.has_value()) << stream.error().message;
    const Seen seen = read_all(**stream);
    EXPECT_EQ(seen.end, "end");
    ASSERT_EQ(seen.events.size(), 2U) << seen.broken;
    for (const auto& one : seen.events) EXPECT_EQ(one.object.at("text"), text);
    EXPECT_EQ(seen.events[1].object.at("metadata").at("name"), "b");
}

INSTANTIATE_TEST_SUITE_P(Rows, WatchCut,
                         testing::Values(Cut{"InsideCharacters", 18, 1}, Cut{"LinesOver16KiB", 20'000, 4'000},
                                         Cut{"LinesOf2MB", 2'000'000, 32'768},
                                         Cut{"OneChunkOf4MB", 2'000'000, 8U << 20U}),
                         [](const auto& row) { return row.param.name; });

TEST_F(TransportTest, ALineWithoutEndIsGivenUp) {
    serve([](Conversation& to, const Heard&) {
        to.begin_chunks();
        while (to.is_open()) to.chunk(std::string(100'000, 'x'));
    });
    connect();
    const auto stream = transport->open(watch_pods());
    ASSERT_TRUE(stream.has_value());
    EXPECT_EQ(read_all(**stream).broken, "TooLarge");
}

struct NotOpened {
    const char* name;
    int status;
    const char* reason;
    bool retry;
};
void PrintTo(const NotOpened& row, std::ostream* out) { *out << row.name; }
class WatchNotOpened : public TransportTest, public testing::WithParamInterface<NotOpened> {};

TEST_P(WatchNotOpened, SaysWhy) {
    serve([](Conversation& to, const Heard&) {
        to.reply(GetParam().status, Json{{"kind", "Status"}, {"message", "so it is"}}.dump());
    });
    connect();
    const auto stream = transport->open(watch_pods());
    ASSERT_FALSE(stream.has_value());
    EXPECT_EQ(stream.error().reason, GetParam().reason);
    EXPECT_EQ(stream.error().message, "so it is");
    EXPECT_EQ(stream.error().retry, GetParam().retry);
}

INSTANTIATE_TEST_SUITE_P(Rows, WatchNotOpened,
                         testing::Values(NotOpened{"Expired", 410, "Expired", false},
                                         NotOpened{"TooMany", 429, "TooManyRequests", true},
                                         NotOpened{"Forbidden", 403, "Forbidden", false},
                                         NotOpened{"Broken", 500, "InternalError", true},
                                         NotOpened{"Away", 503, "ServiceUnavailable", true}),
                         [](const auto& row) { return row.param.name; });

TEST_F(TransportTest, AWatchWhoseHeadersDoNotComeIsGivenUp) {
    serve([](Conversation& to, const Heard&) { to.await_close(); });
    connect({std::chrono::milliseconds{300}, for_ever});
    const auto stream = transport->open(watch_pods());
    ASSERT_FALSE(stream.has_value());
    EXPECT_EQ(stream.error().reason, "DeadlineExceeded");
}

// ---- our own threads

class WatchThreads : public TransportTest {
protected:
    /// Watches say one line and then nothing; what is asked for is answered.
    void serve_quiet_watches() {
        serve([](Conversation& to, const Heard& request) {
            if (request.target.find("watch=true") == std::string::npos) return to.reply(200, "{}");
            to.begin_chunks();
            to.chunk(event("a", "6"));
            to.await_close();
        });
    }
};

TEST_F(WatchThreads, CancelEndsAWatchThatIsBeingRead) {
    serve_quiet_watches();
    connect();
    for (int i = 0; i < 10; ++i) {
        auto stream = transport->open(watch_pods());
        ASSERT_TRUE(stream.has_value()) << stream.error().message;
        std::promise<void> heard_something;
        std::thread reader([&] {
            EXPECT_TRUE((*stream)->read().has_value());
            heard_something.set_value();
            while ((*stream)->read().has_value()) {
            }
        });
        heard_something.get_future().wait();
        (*stream)->cancel();
        reader.join();
        EXPECT_TRUE(transport->send(read_pods()).has_value());
    }
}

TEST_F(WatchThreads, AStreamThatIsGivenAwayClosesItsConnection) {
    std::promise<void> closed;
    serve([&](Conversation& to, const Heard&) {
        to.begin_chunks();
        to.await_close();
        closed.set_value();
    });
    connect();
    ASSERT_TRUE(transport->open(watch_pods()).has_value());
    closed.get_future().wait();
}

TEST_F(WatchThreads, EndStreamsEndsAllOfThemAndRequestsGoOn) {
    serve_quiet_watches();
    connect();
    std::vector<std::thread> readers;
    std::vector<std::unique_ptr<kube::ByteStream>> streams;
    for (int i = 0; i < 4; ++i) streams.push_back(*transport->open(watch_pods()));
    for (auto& stream : streams)
        readers.emplace_back([&] {
            while (stream->read().has_value()) {
            }
        });
    std::atomic<bool> ending = false;
    std::thread requests([&] {
        while (!ending) EXPECT_TRUE(transport->send(read_pods()).has_value());
    });
    transport->end_streams();
    for (auto& reader : readers) reader.join();
    ending = true;
    requests.join();
    EXPECT_EQ(transport->open(watch_pods()).error().reason, "Ending");
    EXPECT_TRUE(transport->send(read_pods()).has_value());
}

TEST_F(WatchThreads, EndStreamsReachesAWatchThatIsBeingOpened) {
    std::promise<void> asked;
    serve([&](Conversation& to, const Heard&) {
        asked.set_value();
        to.await_close();
    });
    connect();
    std::thread opening([&] { EXPECT_FALSE(transport->open(watch_pods()).has_value()); });
    asked.get_future().wait();
    transport->end_streams();
    opening.join();
}

// What ThreadSanitizer is to look at: requests, watches, cancels and changes of certificates, all at once.
TEST_F(WatchThreads, AllAtOnce) {
    constexpr int requesters = 16;
    constexpr int watchers = 4;
    constexpr int requests_each = 25;
    serve([](Conversation& to, const Heard& request) {
        if (request.target.find("watch=true") == std::string::npos) return to.reply(200, request.body);
        to.begin_chunks();
        for (int i = 0; i < 20 && to.is_open(); ++i) to.chunk(event("a", std::to_string(i), std::string(30'000, 'x')));
        to.await_close();
    });
    connect();
    std::atomic<int> answered = 0;
    std::atomic<bool> ending = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < watchers; ++i)
        threads.emplace_back([&] {
            while (!ending) {
                auto stream = transport->open(watch_pods());
                if (!stream) continue;
                for (int k = 0; k < 5 && (*stream)->read().has_value(); ++k) {
                }
                (*stream)->cancel();
            }
        });
    for (int i = 0; i < requesters; ++i)
        threads.emplace_back([&, i] {
            for (int k = 0; k < requests_each; ++k) {
                const Json object = {{"metadata", {{"name", std::to_string(i) + "-" + std::to_string(k)}}}};
                const auto answer = transport->send(kube::create(kube::pods, "default", object));
                // A change of certificates takes no request along.
                EXPECT_TRUE(answer.has_value() && Json::parse(answer->body) == object);
                if (++answered % 100 == 0) {
                    write("ca.crt", authority.certificate + make_authority("another").certificate);
                    now += 10;
                }
            }
        });
    while (answered < requesters * requests_each) std::this_thread::yield();
    ending = true;
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(heard("POST"), requesters * requests_each);
}

// ---- a reflector over it

TEST_F(WatchThreads, ASilentWatchIsResumedWhereItWas) {
    serve([](Conversation& to, const Heard& request) {
        const auto asked = [&](const char* what) { return request.target.find(what) != std::string::npos; };
        if (!asked("watch=true")) return to.reply(200, R"({"metadata":{"resourceVersion":"5"},"items":[]})");
        to.begin_chunks();
        if (asked("resourceVersion=5")) to.chunk(event("a", "6") + R"({"type":"ADD)");
        if (asked("resourceVersion=6")) to.chunk(event("b", "7"));
        to.await_close();
    });
    connect(quick_to_notice);
    std::vector<std::string> names;
    kube::Milliseconds clock{0};
    kube::Source source(
        *transport, kube::Reflector(kube::pods, "default", "", 1), [&] { return clock; },
        [&](const kube::StoreChange& change) {
            if (change.kind == kube::StoreChange::Kind::Upsert)
                names.push_back(change.object.at("metadata").at("name").get<std::string>());
            if (names.size() == 2) transport->end_streams();
        });
    while (names.size() < 2) {
        source.turn();
        clock += kube::Milliseconds{60'000};  // no back-off is waited for
    }
    EXPECT_THAT(names, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace evaljob::test
