// What is made of a server's answers, and what is done about bad ones.
#include <gmock/gmock.h>

#include "api/utf8.hpp"
#include "evaljob-runner/engine/engine_text.hpp"
#include "evaljob-runner/engine/openai/chat_answer.hpp"
#include "evaljob-runner/engine/openai/concurrency.hpp"
#include "evaljob-runner/engine/openai/readiness.hpp"
#include "evaljob-runner/engine/openai/verdict.hpp"

namespace evaljob::openai {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using Kind = Exchange::Kind;

std::string completion(const std::string& message) {
    return R"({"id":"c","choices":[{"index":0,"message":)" + message + R"(,"finish_reason":"stop"}],)" +
           R"("usage":{"prompt_tokens":7,"completion_tokens":3}})";
}

TEST(ChatAnswer, IsTheFirstChoicesText) {
    const auto answer = read_chat_answer(completion(R"({"role":"assistant","content":"Paris\n"})"));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->prediction.prediction, "Paris\n");
    EXPECT_EQ(answer->prediction.detail, Json({{"finishReason", "stop"}}));
    EXPECT_EQ(answer->prompt_tokens, 7U);
    EXPECT_EQ(answer->completion_tokens, 3U);
}

struct AnswerRow {
    const char* name;
    std::string body;
    std::string text;  // or a part of the message
    bool good = true;
};

class Answers : public testing::TestWithParam<AnswerRow> {};

TEST_P(Answers, AreReadStrictly) {
    const auto answer = read_chat_answer(GetParam().body);
    if (!GetParam().good) {
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().reason, "Garbled");
        EXPECT_THAT(answer.error().message, HasSubstr(GetParam().text));
        return;
    }
    ASSERT_TRUE(answer) << answer.error().message;
    std::string bytes;
    ASSERT_TRUE(text_from_json(answer->prediction.prediction, bytes)) << answer->prediction.error;
    EXPECT_EQ(bytes, GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Answers,
    testing::Values(AnswerRow{"Nul", completion(R"({"content":"a\u0000b"})"), std::string("a\0b", 3)},
                    AnswerRow{"LoneSurrogate", completion(R"({"content":"\ud83d"})"), "\xed\xa0\xbd"},
                    AnswerRow{"NoUtf8", completion("{\"content\":\"caf\xe9\"}"), "caf\xe9"},
                    AnswerRow{"Nothing", completion(R"({"content":null})"), ""},
                    AnswerRow{"Refusal", completion(R"({"content":null,"refusal":"I will not"})"), "I will not"},
                    AnswerRow{"NoUsage", R"({"choices":[{"message":{"content":"a"}}]})", "a"},
                    AnswerRow{"SecondChoiceDamaged", R"({"choices":[{"message":{"content":"a"}},{}]})", "a"},
                    AnswerRow{"Html", "<html>Welcome</html>", "it is no JSON object: <html>Welcome</html>", false},
                    AnswerRow{"Half", completion(R"({"content":"a"})").substr(0, 40), "it is no JSON object", false},
                    AnswerRow{"AnErrorWith200", R"({"error":{"message":"out of memory"}})",
                              "it has no choices: out of memory", false},
                    AnswerRow{"NoChoice", R"({"choices":[]})", "it has no choices", false},
                    AnswerRow{"NoMessage", R"({"choices":[{"text":"a"}]})", "its first choice has no message", false},
                    AnswerRow{"AList", completion(R"({"content":["a"]})"), "its message has a content that is no text",
                              false},
                    AnswerRow{"Nested", "{\"choices\":" + std::string(100'000, '['), "it is no JSON object", false}),
    [](const auto& row) { return row.param.name; });

TEST(ChatAnswer, TooLongFailsItsSample) {
    const auto answer =
        read_chat_answer(completion("{\"content\":\"" + std::string(max_prediction_bytes + 1, 'x') + "\"}"));
    ASSERT_TRUE(answer);
    EXPECT_THAT(answer->prediction.error, HasSubstr("the server's prediction has 16777217 bytes; at most 16777216"));
    EXPECT_TRUE(answer->prediction.prediction.is_null());
}

TEST(RefusalText, IsWhatTheServerSays) {
    EXPECT_EQ(refusal_text(R"({"error":{"message":"too\nlong","code":400}})"), "too long");
    EXPECT_EQ(refusal_text(R"({"object":"error","message":"no"})"), "no");
    EXPECT_EQ(refusal_text(R"({"error":"no"})"), "no");
    EXPECT_EQ(refusal_text(R"({"detail":[{"loc":["body"]}]})"), R"([{"loc":["body"]}])");
    EXPECT_EQ(refusal_text("busy"), "busy");
    EXPECT_EQ(refusal_text(std::string(10'000, 'x')).size(), 500U);
    EXPECT_TRUE(is_utf8(refusal_text("\xff\xfe")));
}

TEST(Models, AreListed) {
    const auto models = read_models(R"({"object":"list","data":[{"id":"a","owned_by":"vllm"},{"id":"b"}]})");
    ASSERT_TRUE(models);
    EXPECT_EQ(models->names, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(models->owner, "vllm");
    EXPECT_FALSE(read_models("[]"));
    EXPECT_FALSE(read_models("hello"));
}

// The pause before another try.

struct HeaderRow {
    const char* name;
    const char* header;
    std::optional<std::int64_t> seconds;
};

constexpr std::int64_t now = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT

class RetryAfter : public testing::TestWithParam<HeaderRow> {};

TEST_P(RetryAfter, IsSecondsOrADate) {
    const auto pause = retry_after(GetParam().header, now);
    EXPECT_EQ(pause ? std::optional(pause->count()) : std::nullopt, GetParam().seconds);
}

INSTANTIATE_TEST_SUITE_P(Table, RetryAfter,
                         testing::Values(HeaderRow{"None", "", {}}, HeaderRow{"Seconds", "120", 120},
                                         HeaderRow{"AtOnce", "0", 0}, HeaderRow{"Negative", "-5", {}},
                                         HeaderRow{"Fraction", "1.5", {}}, HeaderRow{"Word", "soon", {}},
                                         HeaderRow{"Huge", "99999999999999999999", 300},
                                         HeaderRow{"Date", "Sun, 06 Nov 1994 08:50:07 GMT", 30},
                                         HeaderRow{"APastDate", "Sun, 06 Nov 1994 08:49:07 GMT", 0},
                                         HeaderRow{"NextYear", "Mon, 06 Nov 1995 08:49:37 GMT", 31'536'000},
                                         HeaderRow{"NoSuchDay", "Sun, 31 Feb 1994 08:49:37 GMT", {}},
                                         HeaderRow{"NoSuchMonth", "Sun, 06 Foo 1994 08:49:37 GMT", {}},
                                         HeaderRow{"CutOff", "Sun, 06 Nov 1994 08:49", {}}),
                         [](const auto& row) { return row.param.name; });

Exchange answer_with(int status, const std::string& body = "", const std::string& retry_after = "") {
    Exchange exchange;
    exchange.kind = Kind::Answered;
    exchange.status = status;
    exchange.body = body;
    exchange.retry_after = retry_after;
    return exchange;
}

Exchange broken(Kind kind) {
    Exchange exchange;
    exchange.kind = kind;
    exchange.why = "reset";
    return exchange;
}

const Terms terms{"http://s/v1", "tiny", "KEY", seconds(600), milliseconds(500)};

/// What follows when the same happens again and again: "again again fails", with what is said of each.
std::string course(const Exchange& exchange, bool alone = false, int most = 25) {
    Tries tries;
    std::string text;
    for (int i = 0; i < most; ++i) {
        const Verdict verdict = judge(exchange, tries, alone, terms, 0.5, now);
        if (std::holds_alternative<ChatAnswer>(verdict)) return text + "answer";
        if (const auto* failure = std::get_if<FailSample>(&verdict)) return text + "fails: " + failure->why;
        if (const auto* error = std::get_if<Error>(&verdict)) return text + error->reason + ": " + error->message;
        const auto& again = std::get<TryAgain>(verdict);
        text += std::to_string(again.after.count()) + (again.overloaded ? " fewer" : "") +
                (again.for_all ? " all" : "") + (again.alone ? " alone" : "") + (again.no_service ? " none" : "") +
                ", ";
    }
    return text + "…";
}

TEST(Judge, TakesAnAnswer) { EXPECT_EQ(course(answer_with(200, completion(R"({"content":"a"})"))), "answer"); }

TEST(Judge, TriesAFailureThreeTimesWithPausesThatGrow) {
    EXPECT_EQ(course(answer_with(500, R"({"error":{"message":"oops"}})")),
              "375, 750, fails: the server failed on it 3 times: it answered 500: oops");
    EXPECT_EQ(course(answer_with(200, "garbage")),
              "375, 750, fails: the server failed on it 3 times: its answer is none: it is no JSON object: garbage");
    EXPECT_EQ(course(broken(Kind::Late)),
              "375 fewer, 750 fewer, fails: the server failed on it 3 times: no whole answer within 600 s "
              "(spec.eval.inference.sampleTimeoutSeconds)");
}

TEST(Judge, WaitsLongForAServerThatRefusesAndSendsFewer) {
    for (const int status : {429, 502, 503, 504, 529}) {
        const std::string all = course(answer_with(status, "busy"));
        EXPECT_THAT(all, testing::StartsWith("375 fewer none, 750 fewer none, 1500 fewer none, 3000 fewer none, "));
        EXPECT_THAT(
            all, HasSubstr("45000 fewer none, 45000 fewer none, fails: the server refused it 20 times: it answered " +
                           std::to_string(status) + ": busy"));
    }
}

TEST(Judge, DoesAsTheServerWishesWithinBounds) {
    EXPECT_THAT(course(answer_with(429, "", "7"), false, 1), "7250 fewer all none, …");
    EXPECT_THAT(course(answer_with(503, "", "Sun, 06 Nov 1994 08:50:07 GMT"), false, 1), "30250 fewer all none, …");
    EXPECT_THAT(course(answer_with(429, "", "86400"), false, 1), "300250 fewer all none, …");
    EXPECT_THAT(course(answer_with(429, "", "9223372036854775807"), false, 1), "300250 fewer all none, …");
}

TEST(Judge, FailsASampleThatTheServerDoesNotTakeAtOnce) {
    for (const int status : {400, 413, 422})
        EXPECT_EQ(course(answer_with(status, R"({"message":"context length"})")),
                  "fails: the server refuses it: it answered " + std::to_string(status) + ": context length");
    EXPECT_THAT(course(broken(Kind::TooLong)), HasSubstr("fails: the server's answer has more than 100000000 bytes"));
}

TEST(Judge, EndsTheWorkWhenTheServerIsAnother) {
    EXPECT_THAT(
        course(answer_with(401, "no")),
        "BadInput: spec.eval.model.apiKeyVariable: http://s/v1 answered 401: no; is the key in the variable KEY the "
        "right one?");
    EXPECT_THAT(course(answer_with(403)), HasSubstr("BadInput: spec.eval.model.apiKeyVariable"));
    EXPECT_THAT(course(answer_with(404)), HasSubstr("BadInput: spec.eval.model.url: http://s/v1 answered 404"));
    Exchange redirect = answer_with(307);
    redirect.location = "https://t/v1";
    EXPECT_THAT(course(redirect), HasSubstr("a redirect to https://t/v1; redirects are not followed"));
    EXPECT_THAT(course(broken(Kind::NotTrusted)), HasSubstr("SSL_CERT_FILE"));
}

TEST(Judge, ALostConnectionSaysLittleOfTheSampleUntilItIsAlone) {
    Tries tries;
    const auto alone_next = [&](bool alone) {
        const Verdict verdict = judge(broken(Kind::Lost), tries, alone, terms, 0, now);
        const auto* again = std::get_if<TryAgain>(&verdict);
        return again == nullptr ? std::get<FailSample>(verdict).why : again->alone ? "alone" : "with others";
    };
    EXPECT_EQ(alone_next(false), "with others");
    EXPECT_EQ(alone_next(false), "alone");
    EXPECT_EQ(alone_next(true), "alone");
    EXPECT_EQ(alone_next(true), "alone");
    EXPECT_EQ(alone_next(true), "the server closed the connection on it 3 times, alone: reset");
}

TEST(Judge, WhoReachesNobodyWaitsWithoutCounting) {
    EXPECT_THAT(course(broken(Kind::NoConnection), false, 100), testing::EndsWith("1500 none, 1500 none, …"));
    EXPECT_THAT(course(broken(Kind::NoConnection), true, 1), "1500 alone none, …");
}

// How many at a time.

TEST(ConcurrencyOfAServer, GrowsToTheCeilingAndNoFurther) {
    Concurrency concurrency(20);
    EXPECT_EQ(concurrency.limit(), 8U);
    for (int i = 0; i < 8; ++i) concurrency.answered();
    EXPECT_EQ(concurrency.limit(), 16U) << "twice as many after a round";
    for (int i = 0; i < 100; ++i) concurrency.answered();
    EXPECT_EQ(concurrency.limit(), 20U);
    EXPECT_EQ(Concurrency(3).limit(), 3U);
}

TEST(ConcurrencyOfAServer, HalvesOnceForAllThatWereSentBefore) {
    Concurrency concurrency(32);
    for (int i = 0; i < 100; ++i) concurrency.answered();
    const auto sent = concurrency.round();
    for (int i = 0; i < 10; ++i) concurrency.refused(sent);
    EXPECT_EQ(concurrency.limit(), 16U);
    concurrency.refused(concurrency.round());
    EXPECT_EQ(concurrency.limit(), 8U);
    for (int i = 0; i < 10; ++i) concurrency.refused(concurrency.round());
    EXPECT_EQ(concurrency.limit(), 1U) << "and stays at one";
}

TEST(ConcurrencyOfAServer, GrowsByOneARoundAfterARefusal) {
    Concurrency concurrency(32);
    concurrency.refused(concurrency.round());
    EXPECT_EQ(concurrency.limit(), 4U);
    for (int i = 0; i < 4; ++i) concurrency.answered();
    EXPECT_EQ(concurrency.limit(), 5U);
    for (int i = 0; i < 5; ++i) concurrency.answered();
    EXPECT_EQ(concurrency.limit(), 6U);
}

// Ready?

TEST(Readiness, IsAModelOfThatName) {
    const std::string models = R"({"data":[{"id":"tiny","owned_by":"vllm"}]})";
    EXPECT_EQ(*read_readiness(answer_with(200, models), terms), "vllm");
    const auto other = read_readiness(answer_with(200, R"({"data":[{"id":"big"},{"id":"huge"}]})"), terms);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().reason, "BadInput");
    EXPECT_EQ(other.error().message,
              "spec.eval.model.name: the server at http://s/v1 has no model tiny; it has: big, huge");
    EXPECT_THAT(read_readiness(answer_with(200, R"({"data":[]})"), terms).error().message, HasSubstr("it has: none"));
}

TEST(Readiness, IsWaitedForUnlessTheServerIsAnother) {
    for (const auto& exchange :
         {answer_with(503), answer_with(500), broken(Kind::NoConnection), broken(Kind::Lost), broken(Kind::Late)})
        EXPECT_TRUE(read_readiness(exchange, terms).error().retry);
    for (const auto& exchange :
         {answer_with(200, "<html>"), answer_with(401), answer_with(404), answer_with(302), broken(Kind::NotTrusted)})
        EXPECT_EQ(read_readiness(exchange, terms).error().reason, "BadInput");
}

}  // namespace
}  // namespace evaljob::openai
