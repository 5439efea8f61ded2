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
    EXPECT_EQ(answer->prediction.detail,
              Json({{"finishReason", "stop"}, {"promptTokens", 7}, {"completionTokens", 3}}));
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
    testing::Values(
        AnswerRow{"Nul", completion(R"({"content":"a\u0000b"})"), std::string("a\0b", 3)},
        AnswerRow{"LoneSurrogate", completion(R"({"content":"\ud83d"})"), "\xed\xa0\xbd"},
        AnswerRow{"NoUtf8", completion("{\"content\":\"caf\xe9\"}"), "caf\xe9"},
        AnswerRow{"Nothing", completion(R"({"content":null})"), ""},
        AnswerRow{"Refusal", completion(R"({"content":null,"refusal":"I will not"})"), "I will not"},
        AnswerRow{"NoUsage", R"({"choices":[{"message":{"content":"a"}}]})", "a"},
        AnswerRow{"SecondChoiceDamaged", R"({"choices":[{"message":{"content":"a"}},{}]})", "a"},
        AnswerRow{"Html", "<html>Welcome</html>", "it is no JSON object: <html>Welcome</html>", false},
        AnswerRow{"Half", completion(R"({"content":"a"})").substr(0, 40), "it is no JSON object", false},
        AnswerRow{"AnErrorWith200", R"({"error":{"message":"out of memory"}})", "it has no choices: out of memory",
                  false},
        AnswerRow{"NoChoice", R"({"choices":[]})", "it has no choices", false},
        AnswerRow{"NoMessage", R"({"choices":[{"text":"a"}]})", "its first choice has no message", false},
        AnswerRow{"ANumber", completion(R"({"content":4})"), "its message has a content that is no text", false},
        AnswerRow{"AList", completion(R"({"content":["a"]})"), "content with a part that is no text", false},
        AnswerRow{"Parts", completion(R"({"content":[{"type":"text","text":"fo"},{"type":"text","text":"ur"}]})"),
                  "four"},
        AnswerRow{"NoParts", completion(R"({"content":[]})"), ""},
        AnswerRow{"PartsOfThinking",
                  completion(R"({"content":[{"type":"thinking","thinking":[]},{"type":"text","text":"4"}]})"), "4"},
        AnswerRow{"PartsOfRefusal", completion(R"({"content":[{"type":"refusal","refusal":"I will not"}]})"),
                  "I will not"},
        AnswerRow{"APartThatIsNoText", completion(R"({"content":[{"type":"image_url"}]})"),
                  "content with a part that is no text", false},
        AnswerRow{"RefusalBesideNothing", completion(R"({"content":"","refusal":"I will not"})"), "I will not"},
        AnswerRow{"NanWhereNobodyReads",
                  R"({"choices":[{"message":{"content":"4"},"logprobs":{"x":-Infinity,"y":[NaN]}}],"t":NaN})", "4"},
        AnswerRow{"AnErrorInTheChoice",
                  R"({"choices":[{"message":{"content":"4"},"finish_reason":"stop","error":{"code":502,)"
                  R"("message":"upstream"}}]})",
                  "it came with an error: upstream", false},
        AnswerRow{"AnErrorBesideTheChoice",
                  R"({"error":{"message":"upstream"},"choices":[{"message":{"content":"4"}}]})",
                  "it came with an error: upstream", false},
        AnswerRow{"NoErrorInTheChoice", R"({"error":null,"choices":[{"message":{"content":"4"},"error":null}]})", "4"},
        AnswerRow{"Nested", "{\"choices\":" + std::string(100'000, '['), "it is no JSON object", false}),
    [](const auto& row) { return row.param.name; });

struct FinishRow {
    const char* name;
    const char* reason;  // JSON
    const char* detail;  // "": it is no answer
    bool filtered = false;
};

class FinishReasons : public testing::TestWithParam<FinishRow> {};

TEST_P(FinishReasons, TellWhetherItIsAnAnswer) {
    const FinishRow& row = GetParam();
    const auto answer = read_chat_answer(std::string(R"({"choices":[{"message":{"content":"a"},"finish_reason":)") +
                                         row.reason + "}]}");
    if (*row.detail == '\0') {
        ASSERT_FALSE(answer);
        EXPECT_THAT(answer.error().message, HasSubstr("it ended with finish_reason "));
        return;
    }
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->prediction.detail, Json::parse(row.detail));
    EXPECT_EQ(answer->filtered, row.filtered);
}

INSTANTIATE_TEST_SUITE_P(
    Table, FinishReasons,
    testing::Values(FinishRow{"Stop", R"("stop")", R"({"finishReason":"stop"})"}, FinishRow{"None", "null", "{}"},
                    FinishRow{"Length", R"("length")", R"({"finishReason":"length"})"},
                    FinishRow{"LengthByAnotherName", R"("MAX_TOKENS")", R"({"finishReason":"length"})"},
                    FinishRow{"Filter", R"("content_filter")", R"({"finishReason":"content_filter"})", true},
                    FinishRow{"FilterByAnotherName", R"("SAFETY")", R"({"finishReason":"content_filter"})", true},
                    FinishRow{"Unknown", R"("tool_calls")", R"({"finishReason":"tool_calls"})"},
                    FinishRow{"Error", R"("error")", ""}, FinishRow{"Abort", R"("abort")", ""},
                    FinishRow{"OutOfResources", R"("insufficient_system_resource")", ""}),
    [](const auto& row) { return row.param.name; });

TEST(ChatAnswer, KeepsWhatTheModelThought) {
    for (const char* name : {"reasoning_content", "reasoning"}) {
        const auto answer = read_chat_answer(
            R"({"choices":[{"message":{"content":null,")" + std::string(name) +
            R"(":"let me \ud83d think"},"finish_reason":"length"}],"usage":{"completion_tokens":5,"cost":NaN}})");
        ASSERT_TRUE(answer) << answer.error().message;
        EXPECT_EQ(answer->prediction.prediction, "");
        EXPECT_EQ(answer->prediction.detail, Json({{"finishReason", "length"},
                                                   {"reasoning", "let me \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd think"},
                                                   {"completionTokens", 5}}));
    }
}

TEST(ChatAnswer, CutsALongReasoningAndSaysHowLongItWas) {
    const auto answer = read_chat_answer(
        completion(R"({"content":"4","reasoning":")" + std::string(max_reasoning_bytes + 7, 'x') + "\"}"));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->prediction.detail["reasoning"].get<std::string>().size(), max_reasoning_bytes);
    EXPECT_EQ(answer->prediction.detail["reasoningBytes"], max_reasoning_bytes + 7);
}

TEST(ChatAnswer, TooLongFailsItsSample) {
    const auto answer =
        read_chat_answer(completion("{\"content\":\"" + std::string(max_prediction_bytes + 1, 'x') + "\"}"));
    ASSERT_TRUE(answer);
    EXPECT_THAT(answer->prediction.error, HasSubstr("the server's prediction has 16777217 bytes; at most 16777216"));
    EXPECT_TRUE(answer->prediction.prediction.is_null());
    EXPECT_EQ(answer->prediction.detail, Json::object()) << "its tokens are no answer's";
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

struct ModelsRow {
    const char* name;
    const char* body;
    bool has;
    std::size_t count;
    bool complete = true;
};

class Models : public testing::TestWithParam<ModelsRow> {};

TEST_P(Models, AreFoundHoweverTheyAreListed) {
    const auto models = read_models(GetParam().body, "tiny");
    ASSERT_TRUE(models) << models.error().message;
    EXPECT_EQ(models->has_the_wanted, GetParam().has);
    EXPECT_EQ(models->count, GetParam().count);
    EXPECT_EQ(models->is_complete, GetParam().complete);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Models,
    testing::Values(ModelsRow{"OpenAI", R"({"object":"list","data":[{"id":"big"},{"id":"tiny"}]})", true, 2},
                    ModelsRow{"Another", R"({"data":[{"id":"big"}]})", false, 1},
                    ModelsRow{"BareList", R"([{"id":"tiny"}])", true, 1},
                    ModelsRow{"BareTexts", R"(["big","tiny"])", true, 2}, ModelsRow{"Empty", "[]", false, 0},
                    ModelsRow{"Ollama", R"({"models":[{"name":"tiny:latest","model":"tiny:latest"}]})", true, 1},
                    ModelsRow{"Gemini", R"({"models":[{"name":"models/tiny"}],"nextPageToken":"x"})", true, 1, false},
                    ModelsRow{"Aliases", R"({"data":[{"id":"tiny-2024","aliases":["t","tiny"]}]})", true, 1},
                    ModelsRow{"Pages", R"({"data":[{"id":"big"}],"has_more":true})", false, 1, false},
                    ModelsRow{"LastPage", R"({"data":[{"id":"big"}],"has_more":false,"next":null})", false, 1}),
    [](const auto& row) { return row.param.name; });

TEST(ModelList, IsLookedThroughToItsEnd) {
    std::string body = R"({"data":[{"id":"first","owned_by":"vllm"})";
    for (int i = 0; i < 5'000; ++i) body += R"(,{"id":"m)" + std::to_string(i) + "\"}";
    const auto models = read_models(body + R"(,{"id":"tiny"}]})", "tiny");
    ASSERT_TRUE(models);
    EXPECT_TRUE(models->has_the_wanted);
    EXPECT_EQ(models->count, 5'002U);
    EXPECT_EQ(models->owner, "vllm");
}

TEST(ModelList, IsNone) {
    EXPECT_FALSE(read_models("hello", "tiny").error().retry) << "another kind of server";
    EXPECT_TRUE(read_models(R"({"status":"ok"})", "tiny").error().retry) << "one that lists nothing";
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
        if (const auto* refusal = std::get_if<Refusal>(&verdict))
            return text + "refused: " + refusal->why + "; of all: " + refusal->of_all.reason + ": " +
                   refusal->of_all.message;
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

TEST(Judge, SaysOfARefusalWhatItMeansForTheSampleAndWhatForTheJob) {
    for (const int status : {400, 413, 422})
        EXPECT_THAT(course(answer_with(status, R"({"message":"context length"})")),
                    testing::StartsWith("refused: the server refuses it: it answered " + std::to_string(status) +
                                        ": context length; of all: BadInput: spec.eval.model.parameters: "));
    EXPECT_THAT(course(answer_with(403)), HasSubstr("of all: BadInput: spec.eval.model.apiKeyVariable: "));
    EXPECT_THAT(course(answer_with(404)),
                HasSubstr("of all: BadInput: spec.eval.model.url: http://s/v1 answered 404: ; does the url end"));
    Exchange redirect = answer_with(307);
    redirect.location = "https://t/v1";
    EXPECT_THAT(course(redirect), HasSubstr("a redirect to https://t/v1; redirects are not followed"));
    EXPECT_THAT(course(broken(Kind::TooLong)), HasSubstr("fails: the server's answer has more than 100000000 bytes"));
}

TEST(Judge, EndsTheWorkWhenNobodyIsServed) {
    EXPECT_THAT(
        course(answer_with(401, "no")),
        "BadInput: spec.eval.model.apiKeyVariable: http://s/v1 answered 401: no; is the key in the variable KEY the "
        "right one?");
    EXPECT_THAT(course(answer_with(402, "no credits")), HasSubstr("is there money left on its account?"));
    EXPECT_THAT(course(broken(Kind::NotTrusted)), HasSubstr("SSL_CERT_FILE"));
}

TEST(Judge, AContentFilterFailsTheSampleUnlessItsAnswerIsWanted) {
    const Exchange cut =
        answer_with(200, R"({"choices":[{"message":{"content":"I was"},"finish_reason":"content_filter"}]})");
    EXPECT_EQ(course(cut), "fails: the server's content filter has ended it: finish_reason content_filter");
    Tries tries;
    Terms lenient = terms;
    lenient.filtered_fails = false;
    const Verdict verdict = judge(cut, tries, false, lenient, 0, now);
    ASSERT_TRUE(std::holds_alternative<ChatAnswer>(verdict));
    EXPECT_EQ(std::get<ChatAnswer>(verdict).prediction.prediction, "I was");
    EXPECT_EQ(std::get<ChatAnswer>(verdict).prediction.detail["finishReason"], "content_filter");
    const Exchange prompt = answer_with(400, R"({"error":{"message":"flagged","code":"content_filter"}})");
    const Verdict azure = judge(prompt, tries, false, terms, 0, now);
    ASSERT_TRUE(std::holds_alternative<FailSample>(azure));
    EXPECT_EQ(std::get<FailSample>(azure).failure, "Filtered");
    EXPECT_THAT(std::get<FailSample>(azure).why, HasSubstr("it answered 400: flagged"));
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
    EXPECT_EQ(read_readiness(answer_with(200, models), terms)->owner, "vllm");
    EXPECT_EQ(read_readiness(answer_with(200, models), terms)->warning, "");
    const auto other = read_readiness(answer_with(200, R"({"data":[{"id":"big"},{"id":"huge"}]})"), terms);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().reason, "BadInput");
    EXPECT_EQ(other.error().message,
              "spec.eval.model.name: the server at http://s/v1 has no model tiny; it has: big, huge");
}

TEST(Readiness, DoesNotNeedAListOfModels) {
    for (const auto& exchange :
         {answer_with(404, "no"), answer_with(405), answer_with(501), answer_with(403, "not with this key"),
          answer_with(200, "[]"), answer_with(200, R"({"status":"ok"})"),
          answer_with(200, R"({"data":[{"id":"big"}],"has_more":true})")}) {
        const auto ready = read_readiness(exchange, terms);
        ASSERT_TRUE(ready) << ready.error().message;
        EXPECT_THAT(ready->warning, HasSubstr("http://s/v1/models")) << exchange.status << exchange.body;
    }
}

TEST(Readiness, IsWaitedForUnlessTheServerIsAnother) {
    for (const auto& exchange :
         {answer_with(503), answer_with(500), broken(Kind::NoConnection), broken(Kind::Lost), broken(Kind::Late)})
        EXPECT_TRUE(read_readiness(exchange, terms).error().retry);
    for (const auto& exchange :
         {answer_with(200, "<html>"), answer_with(401), answer_with(402), answer_with(302), broken(Kind::NotTrusted)})
        EXPECT_EQ(read_readiness(exchange, terms).error().reason, "BadInput");
}

}  // namespace
}  // namespace evaljob::openai
