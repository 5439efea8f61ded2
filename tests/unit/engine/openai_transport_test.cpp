// What decides where requests go, when connections are used again and what may be told of answers: tables, no sockets.
#include <gmock/gmock.h>

#include "api/base64.hpp"
#include "evaljob-runner/engine/openai/content_encoding.hpp"
#include "evaljob-runner/engine/openai/destination.hpp"
#include "evaljob-runner/engine/openai/keeping.hpp"
#include "evaljob-runner/engine/openai/proxy.hpp"
#include "evaljob-runner/engine/openai/redaction.hpp"
#include "evaljob-runner/engine/openai/silence.hpp"
#include "tests/unit/engine/gzipped.hpp"

namespace evaljob::openai {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

// Keys

const std::string key = "sk-proj/0123456789+abcdef==";  // with what JSON, URLs and base64 write otherwise

struct EchoRow {
    const char* name;
    std::string said;
    std::string told;
};

class Echo : public testing::TestWithParam<EchoRow> {};

TEST_P(Echo, HasNoKey) {
    Redaction redaction;
    redaction.add(key);
    redaction.add("sk-secret");
    redaction.add("EMPTY");
    redaction.add_header("Basic " + base64_encode("me:pa%ss\\word"));
    redaction.add_header("Token 0123456789abcdefXY");
    EXPECT_EQ(redaction.cut(GetParam().said), GetParam().told);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Echo,
    testing::Values(
        EchoRow{"Nothing", "no key here", "no key here"},                                                      //
        EchoRow{"None", "", ""},                                                                               //
        EchoRow{"AsItIs", "Bearer " + key + "!", "Bearer [key]!"}, EchoRow{"Twice", key + key, "[key][key]"},  //
        EchoRow{"WithinAWord", "xxsk-secretxx", "xx[key]xx"},
        EchoRow{"JsonWithEscapedSlash", R"("sk-proj\/0123456789+abcdef==")", R"("[key]")"},
        EchoRow{"JsonWithNumbers", R"(sk-proj\u002f0123456789\u002Babcdef\u003d=)", "[key]"},
        EchoRow{"JsonWithinJson", R"(sk-proj\\\/0123456789\\u002babcdef==)", "[key]"},
        EchoRow{"Url", "?key=sk-proj%2F0123456789%2babcdef%3D%3D&x", "?key=[key]&x"},
        EchoRow{"UrlOfAllBytes", "%73%6b-%73ecret", "[key]"}, EchoRow{"Base64", base64_encode(key), "[key]"},
        EchoRow{"Base64OfMore", "Basic " + base64_encode("u:" + key + ":v"), "Basic dTp[key]06dg=="},
        EchoRow{"PasswordOfBasic", R"(pa%ss\word or pa%25ss\\word)", "[key] or [key]"},
        EchoRow{"PairOfBasic", R"(me:pa%ss\word)", "[key]"},
        EchoRow{"BehindAnyScheme", "token 0123456789abcdefXY", "token [key]"},
        EchoRow{"ShortOneAsAWord", "key EMPTY, 'EMPTY'", "key [key], '[key]'"},
        EchoRow{"ShortOneWithinWords", "EMPTYING or NOT_EMPTY or EMPTY-1", "EMPTYING or NOT_EMPTY or EMPTY-1"},
        EchoRow{"HalfOfOne", "sk-proj/01234", "sk-proj/01234"},
        EchoRow{"CutOffEscape", R"(sk-proj\u00)", R"(sk-proj\u00)"}, EchoRow{"LoneSigns", "% \\ %s", "% \\ %s"}),
    [](const auto& row) { return row.param.name; });

TEST(Redaction, AnAnswerMayHaveAShortKeyAndNoLongOne) {
    Redaction redaction;
    redaction.add("EMPTY");
    redaction.add("fifteen-letters");
    EXPECT_FALSE(redaction.is_in_answer("the set is EMPTY, fifteen-letters"));
    redaction.add("sixteen--letters");
    EXPECT_FALSE(redaction.is_in_answer("sixteen--letter"));
    EXPECT_TRUE(redaction.is_in_answer("a sixteen--letters b"));
    EXPECT_TRUE(redaction.is_in_answer(base64_encode("me:sixteen--letters")));
    EXPECT_FALSE(Redaction().is_in_answer("anything"));
}

// Bodies

struct BodyRow {
    const char* name;
    const char* encoding;
    std::string body;
    std::string text;  // or "failed: " and the reason
};

class Bodies : public testing::TestWithParam<BodyRow> {};

TEST_P(Bodies, AreAsTheyWereBefore) {
    const auto body = decode_content(GetParam().encoding, GetParam().body, 1'000'000);
    EXPECT_EQ(body ? *body : "failed: " + body.error().reason, GetParam().text);
}

const std::string megabyte(1'000'000, 'x');

INSTANTIATE_TEST_SUITE_P(
    Table, Bodies,
    testing::Values(BodyRow{"Plain", "", "text", "text"}, BodyRow{"Identity", "identity", "text", "text"},
                    BodyRow{"Gzip", "gzip", test::gzipped("text"), "text"},
                    BodyRow{"XGzip", "X-GZIP", test::gzipped("text"), "text"},
                    BodyRow{"SeveralMembers", "gzip", test::gzipped("te") + test::gzipped("xt"), "text"},
                    BodyRow{"GzipOfNothing", "gzip", test::gzipped(""), ""},
                    BodyRow{"AsLargeAsMayBe", "gzip", test::gzipped(megabyte), megabyte},
                    BodyRow{"Bomb", "gzip", test::gzipped(megabyte + "x"), "failed: TooLarge"},
                    BodyRow{"BombOfMembers", "gzip", test::gzipped(megabyte) + test::gzipped("x"), "failed: TooLarge"},
                    BodyRow{"CutOff", "gzip", test::gzipped("text").substr(0, 20), "failed: Garbled"},
                    BodyRow{"NoBytes", "gzip", "", "failed: Garbled"},
                    BodyRow{"GarbageBehind", "gzip", test::gzipped("text") + "x", "failed: Garbled"},
                    BodyRow{"NoGzip", "gzip", "text", "failed: Garbled"},
                    BodyRow{"OtherEncoding", "br", "text", "failed: Garbled"},
                    BodyRow{"TwoEncodings", "gzip, gzip", "text", "failed: Garbled"}),
    [](const auto& row) { return row.param.name; });

// Destinations

Model model_at(const std::string& url) {
    Model model;
    model.format = ModelFormat::OpenAI;
    model.url = url;
    return model;
}

TEST(Destination, HasTheKeyTheHeadersAndTheQuery) {
    Model model = model_at("https://me.openai.azure.example/openai/deployments/d/");
    model.api_key_variable = "KEY";
    model.headers = {{"X-Team", "vision, or \"none\"", ""}, {"api-key", "", "AZURE"}, {"X-Empty", "", "SPACED"}};
    model.query = {{"api-version", "2024-10-21"}, {"a b&", "é=/"}};
    const auto destination =
        read_destination(model, {{"KEY", "sk-1\n"}, {"AZURE", " 0123456789abcdef\n"}, {"SPACED", "two words"}});
    ASSERT_TRUE(destination) << destination.error().message;
    EXPECT_EQ(destination->query, "?a%20b%26=%C3%A9%3D%2F&api-version=2024-10-21");
    const std::vector<std::pair<std::string, std::string>> headers{{"Authorization", "Bearer sk-1"},
                                                                   {"X-Team", "vision, or \"none\""},
                                                                   {"api-key", "0123456789abcdef"},
                                                                   {"X-Empty", "two words"}};
    EXPECT_EQ(destination->headers, headers);
    EXPECT_EQ(destination->secrets.cut("0123456789abcdef, vision, two words"), "[key], vision, [key]");
    EXPECT_FALSE(destination->proxy);
}

struct BadHeader {
    const char* name;
    Header header;
    const char* says;
};

class BadHeaders : public testing::TestWithParam<BadHeader> {};

TEST_P(BadHeaders, AreNamedAndNoValueIsShown) {
    Model model = model_at("https://host");
    model.api_key_variable = "KEY";
    model.headers = {{"X-One", "1", ""}, GetParam().header};
    const auto destination = read_destination(model, {{"KEY", "sk-1"}, {"BAD", "hush\x01"}, {"GOOD", "hush"}});
    ASSERT_FALSE(destination);
    EXPECT_EQ(destination.error().reason, "BadInput");
    EXPECT_THAT(destination.error().message, HasSubstr(GetParam().says));
    EXPECT_THAT(destination.error().message, Not(HasSubstr("hush")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadHeaders,
    testing::Values(BadHeader{"NotSet", {"X-A", "", "NONE"}, "spec.eval.model.headers: X-A: NONE is not set, or empty"},
                    BadHeader{"ControlCharacter", {"X-A", "", "BAD"}, "X-A: BAD has characters that no header has"},
                    BadHeader{"TwiceInOtherCase", {"x-one", "2", ""}, "x-one is set twice"},
                    BadHeader{"BesideTheKey", {"authorization", "", "GOOD"}, "by spec.eval.model.apiKeyVariable too"},
                    BadHeader{"ForTheProxy", {"Proxy-Authorization", "", "GOOD"}, "stands in the proxy's URL"}),
    [](const auto& row) { return row.param.name; });

// Proxies

struct ProxyRow {
    const char* name;
    const char* url;
    Environment environment;
    std::string proxy;  // "host port user password variable", or "none"
};

class Proxies : public testing::TestWithParam<ProxyRow> {};

TEST_P(Proxies, AreThoseOfTheEnvironment) {
    const auto proxy = proxy_for(*parse_url(GetParam().url), GetParam().environment);
    ASSERT_TRUE(proxy) << proxy.error().message;
    const auto& found = *proxy;
    EXPECT_EQ(found
                  ? found->host + " " + found->port + " " + found->user + " " + found->password + " " + found->variable
                  : "none",
              GetParam().proxy);
}

Environment excepted(const char* list) { return {{"HTTP_PROXY", "http://p:1"}, {"NO_PROXY", list}}; }
const std::string used = "p 1   HTTP_PROXY";

INSTANTIATE_TEST_SUITE_P(
    Table, Proxies,
    testing::Values(
        ProxyRow{"NoneNamed", "http://h", {}, "none"},
        ProxyRow{"OfHttp", "http://h", {{"HTTP_PROXY", "http://p:1"}, {"HTTPS_PROXY", "http://q:2"}}, used},
        ProxyRow{
            "OfHttps", "https://h", {{"HTTP_PROXY", "http://p:1"}, {"HTTPS_PROXY", "http://q:2"}}, "q 2   HTTPS_PROXY"},
        ProxyRow{"NoneOfHttps", "https://h", {{"HTTP_PROXY", "http://p:1"}}, "none"},
        ProxyRow{
            "LowerCaseFirst", "http://h", {{"http_proxy", "r:3"}, {"HTTP_PROXY", "http://p:1"}}, "r 3   http_proxy"},
        ProxyRow{
            "UserAndPassword", "http://h", {{"HTTP_PROXY", "http://m%65:p%40:x@[::1]:1/"}}, "::1 1 me p@:x HTTP_PROXY"},
        ProxyRow{"PortOfHttp", "http://h", {{"HTTP_PROXY", "HTTP://p"}}, "p 80   HTTP_PROXY"},
        ProxyRow{"ExceptAll", "http://h", excepted("*"), "none"},
        ProxyRow{"ExceptTheHost", "http://Some.Host", excepted("a, some.host"), "none"},
        ProxyRow{"ExceptWhatIsBelow", "http://a.b.example", excepted("x b.example"), "none"},
        ProxyRow{"ExceptWithADot", "http://a.b.example", excepted(".b.example"), "none"},
        ProxyRow{"ExceptWithAStar", "http://a.b.example", excepted("*.b.example"), "none"},
        ProxyRow{"NotALikeName", "http://ab.example", excepted("b.example"), used},
        ProxyRow{"ExceptThePort", "http://h:80", excepted("h:80"), "none"},
        ProxyRow{"NotAnotherPort", "http://h:8000", excepted("h:80"), used},
        ProxyRow{"ExceptTheNetwork", "http://10.1.2.3", excepted("10.0.0.0/8"), "none"},
        ProxyRow{"NotAnotherNetwork", "http://11.1.2.3", excepted("10.0.0.0/8,fd00::/8"), used},
        ProxyRow{"ExceptTheNetworkOfSix", "http://[fd00::1]:80", excepted("fd00::/8"), "none"},
        ProxyRow{"ExceptTheAddressOfSix", "http://[::1]:80", excepted("::1"), "none"},
        ProxyRow{"NoNameIsInANetwork", "http://h", excepted("0.0.0.0/0,10.0.0.0/x,/"), used}),
    [](const auto& row) { return row.param.name; });

TEST(Proxies, ThatAreNoneAreNamedByTheirVariableAlone) {
    for (const char* value : {"https://u:secret@p:1", "socks5://u:secret@p:1", "http://u:secret@p:x",
                              "http://u:secret@", "u:se cret@p:1", "http://u:secret@p:1/path"}) {
        const auto proxy = proxy_for(*parse_url("http://h"), {{"HTTP_PROXY", value}});
        ASSERT_FALSE(proxy) << value;
        EXPECT_THAT(proxy.error().message, HasSubstr("spec.eval.model.proxy: the variable HTTP_PROXY "));
        EXPECT_THAT(proxy.error().message, Not(HasSubstr("cret"))) << value;
    }
}

TEST(Proxies, AreUsedWhenTheEvalJobSaysSo) {
    Model model = model_at("http://h");
    const Environment environment{{"HTTP_PROXY", "http://u:a-long-password@p:1"}};
    EXPECT_FALSE(read_destination(model, environment)->proxy);
    model.proxy = Proxy::Environment;
    const auto destination = read_destination(model, environment);
    ASSERT_TRUE(destination->proxy);
    EXPECT_EQ(proxy_authorization(*destination->proxy), "Basic " + base64_encode("u:a-long-password"));
    EXPECT_EQ(destination->secrets.cut("u, a-long-password, " + base64_encode("u:a-long-password")), "u, [key], [key]");
}

// Kept connections

TEST(Keeping, AConnectionIsUsedAgainWhenNothingIsLeftOfItsAnswer) {
    Keeping keeping;
    EXPECT_TRUE(keeping.may_keep({true, true, false}));
    EXPECT_FALSE(keeping.may_keep({false, true, false})) << "the rest of the request would be read as the next one";
    EXPECT_FALSE(keeping.may_keep({true, false, false}));
    EXPECT_TRUE(keeping.may_use(Unasked::Nothing, 4s));
    EXPECT_FALSE(keeping.may_use(Unasked::Nothing, 4'001ms)) << "the server is about to close it";
    EXPECT_FALSE(keeping.may_use(Unasked::End, 1s));
    EXPECT_TRUE(keeping.is_trusted()) << "closing is a server's right";
}

TEST(Keeping, AServerThatSaysWhatNobodyAskedForIsNotTrustedAgain) {
    Keeping behind;
    EXPECT_FALSE(behind.may_keep({true, true, true}));
    EXPECT_FALSE(behind.is_trusted());
    EXPECT_FALSE(behind.may_keep({true, true, false}));
    EXPECT_FALSE(behind.may_use(Unasked::Nothing, 1s));
    Keeping between;
    EXPECT_FALSE(between.may_use(Unasked::Answer, 1s));
    EXPECT_FALSE(between.is_trusted());
}

TEST(Keeping, AQuestionIsSentAgainUnaskedOnlyWhenItCannotHaveBeenRead) {
    EXPECT_TRUE(may_send_again(true, false, false));
    EXPECT_FALSE(may_send_again(true, true, false)) << "it may have been answered, and paid";
    EXPECT_FALSE(may_send_again(true, false, true));
    EXPECT_FALSE(may_send_again(false, false, false)) << "a new connection that fails tells something";
}

// Silence

/// Requests that were sent at 0, and `usual`, which was answered then.
struct SilenceRow {
    const char* name;
    std::chrono::milliseconds usual;  // 0: nothing was answered
    int beside;                       // so many that were sent later were answered
    std::chrono::milliseconds heard;  // when a part of the answer came
    std::chrono::milliseconds now;
    bool port_refuses;
    bool ended;
};

class Silences : public testing::TestWithParam<SilenceRow> {};

TEST_P(Silences, EndWhatNothingWillComeOf) {
    const SilenceRow& row = GetParam();
    Silence silence;
    if (row.usual > 0ms) silence.answered(silence.asked(0ms), row.usual);
    const auto id = silence.asked(0ms);
    for (int i = 0; i < row.beside; ++i) silence.answered(silence.asked(0ms), row.usual);
    if (row.heard > 0ms) silence.heard(id, row.heard);
    const bool suspicious = silence.is_suspicious(row.now);
    EXPECT_TRUE(suspicious || !row.ended);
    const auto hopeless = silence.hopeless(row.now, row.port_refuses);
    ASSERT_EQ(hopeless.size(), row.ended ? 1U : 0U);
    if (!row.ended) return;
    EXPECT_EQ(hopeless[0].id, id);
    EXPECT_EQ(hopeless[0].silent, row.now - row.heard);
    EXPECT_TRUE(silence.hopeless(10h, true).empty()) << "it is ended once";
}

INSTANTIATE_TEST_SUITE_P(Table, Silences,
                         testing::Values(SilenceRow{"ClosedPortAndLongerThanUsual", 5s, 0, 0s, 21s, true, true},
                                         SilenceRow{"ClosedPortAndNotLongerThanUsual", 5s, 0, 0s, 20s, true, false},
                                         SilenceRow{"ClosedPortAndShortAnswers", 10ms, 0, 0s, 10'001ms, true, true},
                                         SilenceRow{"ClosedPortForAMoment", 10ms, 0, 0s, 10s, true, false},
                                         SilenceRow{"ClosedPortBeforeAnyAnswer", 0s, 0, 0s, 31s, true, true},
                                         SilenceRow{"ClosedPortAndFirstAnswersAreLong", 0s, 0, 0s, 30s, true, false},
                                         SilenceRow{"ClosedPortAndHalfAnAnswer", 5s, 0, 15s, 30s, true, false},
                                         SilenceRow{"ClosedPortAndStuckWithinTheAnswer", 5s, 0, 15s, 36s, true, true},
                                         SilenceRow{"OpenPort", 5s, 0, 0s, 1h, false, false},
                                         SilenceRow{"OthersAreAnswered", 5s, 8, 0s, 51s, false, true},
                                         SilenceRow{"OthersAreAnsweredAndItIsALongAnswer", 5s, 8, 0s, 50s, false,
                                                    false},
                                         SilenceRow{"OthersAreAnsweredInNoTime", 10ms, 8, 0s, 30'001ms, false, true},
                                         SilenceRow{"FewOthersAreAnswered", 5s, 7, 0s, 1h, false, false}),
                         [](const auto& row) { return row.param.name; });

TEST(Silence, LongAnswersThatWereTakenForSilenceGetTwiceTheTime) {
    Silence silence;
    silence.answered(silence.asked(0s), 5s);
    const auto pass_over = [&](auto now) {
        const auto id = silence.asked(now);
        for (int i = 0; i < 8; ++i) silence.answered(silence.asked(now), now + 5s);
        return id;
    };
    pass_over(0s);
    EXPECT_EQ(silence.hopeless(51s, false).size(), 1U);
    pass_over(100s);
    EXPECT_EQ(silence.hopeless(200s, false).size(), 0U);
    EXPECT_EQ(silence.hopeless(201s, false).size(), 1U);
}

TEST(Silence, WhatEndsOtherwiseIsForgotten) {
    Silence silence;
    silence.ended(silence.asked(0s));
    EXPECT_FALSE(silence.is_suspicious(1h));
    EXPECT_TRUE(silence.hopeless(1h, true).empty());
    silence.answered(77, 5s);
    silence.heard(77, 5s);
}

}  // namespace
}  // namespace evaljob::openai
