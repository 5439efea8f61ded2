// Engine OpenAI with a server, on real sockets, that misbehaves in every way that a sample's question can ask for.
#include "tests/unit/engine/openai_fixture.hpp"

#include <condition_variable>
#include <cstdlib>
#include <thread>

namespace evaljob::test {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

struct Row {
    const char* name;
    const char* question;
    testing::Matcher<std::string> outcome;
    int requests;
    int timeout = 600;
};

class OpenAiMisbehaviour : public OpenAiTest, public testing::WithParamInterface<Row> {};

TEST_P(OpenAiMisbehaviour, CostsNoMoreThanTheSampleThatItIsOf) {
    eval_.inference.sample_timeout_seconds = GetParam().timeout;
    EXPECT_THAT(outcomes({"a", GetParam().question, "b"}),
                ElementsAre("answer to a", GetParam().outcome, "answer to b"));
    EXPECT_EQ(times(GetParam().question), GetParam().requests);
}

const auto lost_alone = HasSubstr("failed: the server closed the connection on it 3 times, alone: ");

INSTANTIATE_TEST_SUITE_P(
    Table, OpenAiMisbehaviour,
    testing::Values(Row{"None", "c", "answer to c", 1},  //
                    Row{"Refuses", "429 once", "answer to 429 once", 2},
                    Row{"RefusesForASecond", "wait a second", "answer to wait a second", 2},
                    Row{"IsAway", "503 once", "answer to 503 once", 2},
                    Row{"FailsOnce", "500 once", "answer to 500 once", 2},
                    Row{"Fails", "500", "failed: the server failed on it 3 times: it answered 500: no, because", 3},
                    Row{"BadGateway", "502 once", "answer to 502 once", 2},
                    Row{"RefusesOneSample", "400", "failed: the server refuses it: it answered 400: no, because", 1},
                    Row{"ForbidsOneSample", "403", "failed: the server refuses it: it answered 403: no, because", 1},
                    Row{"HasNoPlaceForOneSample", "404", HasSubstr("refuses it: it answered 404: no, because"), 1},
                    Row{"RedirectsOneSample", "307", HasSubstr("refuses it: it answered 307"), 1},
                    Row{"ErrorForAnAnswer", "finish error", HasSubstr("it ended with finish_reason error"), 3},
                    Row{"ErrorForAnAnswerOnce", "finish error once", "answer to finish error once", 2},
                    Row{"Filters", "finish content_filter", HasSubstr("the server's content filter has ended it"), 1},
                    Row{"TooLarge", "413", HasSubstr("it answered 413"), 1},
                    Row{"GarbageOnce", "garbage once", "answer to garbage once", 2},
                    Row{"Garbage", "garbage", HasSubstr("its answer is none: it is no JSON object: <html>"), 3},
                    Row{"HalfABodyOnce", "half once", "answer to half once", 2},
                    // Twice with others beside it, three times alone.
                    Row{"HalfABody", "half", lost_alone, 5}, Row{"NoHttp", "no HTTP", lost_alone, 5},
                    Row{"HeadersWithoutEnd", "headers", lost_alone, 5},
                    Row{"StallsOnce", "stall once", "answer to stall once", 2, 1},
                    Row{"Stalls", "stall", HasSubstr("no whole answer within 1 s"), 3, 1},
                    Row{"TellsOfTooManyBytes", "huge", HasSubstr("more than 100000000 bytes"), 1},
                    Row{"SendsTooManyBytes", "endless", HasSubstr("more than 100000000 bytes"), 1},
                    Row{"APredictionOf100MB", "long",
                        HasSubstr("failed: the server's prediction has 99000000 bytes; at most 16777216"), 1}),
    [](const auto& row) { return row.param.name; });

TEST_F(OpenAiTest, AServerThatClosesTheConnectionOnASampleHasItAloneInTheEnd) {
    std::vector<std::string> questions(40, "a");
    questions[20] = "close";
    questions[30] = "reset";
    const auto texts = outcomes(questions);
    ASSERT_EQ(texts.size(), 40U);
    for (std::size_t i = 0; i < 40; ++i)
        EXPECT_THAT(texts[i], i == 20 || i == 30 ? testing::Matcher<std::string>(lost_alone) : "answer to a") << i;
    EXPECT_EQ(most_open_["close"], 1);
    EXPECT_EQ(most_open_["reset"], 1);
}

struct Text {
    const char* name;
    const char* written;  // between the quotes, as hexadecimal digits
    std::string bytes;
};

class OpenAiTexts : public OpenAiTest, public testing::WithParamInterface<Text> {};

TEST_P(OpenAiTexts, StayAsTheyAre) {
    EXPECT_THAT(outcomes({std::string("raw ") + GetParam().written}), ElementsAre(GetParam().bytes));
}

INSTANTIATE_TEST_SUITE_P(Table, OpenAiTexts,
                         testing::Values(Text{"Empty", "", ""}, Text{"Utf8", "c3a9f09f9880", "é😀"},
                                         Text{"EscapedNul", "615c753030303062", std::string("a\0b", 3)},
                                         Text{"Nul", "610062", std::string("a\0b", 3)},
                                         Text{"Latin1", "63616665e9", "cafe\xe9"},
                                         Text{"LoneHighSurrogate", "5c7564383364", "\xed\xa0\xbd"},
                                         Text{"CutOff", "61e282", "a\xe2\x82"}),
                         [](const auto& row) { return row.param.name; });

struct Useless {
    const char* name;
    const char* question;
    testing::Matcher<std::string> error;
};

class UselessServer : public OpenAiTest, public testing::WithParamInterface<Useless> {};

TEST_P(UselessServer, EndsTheEngineWithTheMend) {
    eval_.inference.startup_timeout_seconds = 1;
    every_question_ = GetParam().question;
    EXPECT_THAT(outcomes(std::vector<std::string>(20, "a")), ElementsAre(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    Table, UselessServer,
    testing::Values(Useless{"Unauthorized", "401", HasSubstr("BadInput: spec.eval.model.apiKeyVariable: ")},
                    Useless{"Unpaid", "402", HasSubstr("is there money left on its account?")},
                    Useless{"Forbidden", "403", HasSubstr("BadInput: spec.eval.model.apiKeyVariable: ")},
                    Useless{"TakesNothing", "400", HasSubstr("BadInput: spec.eval.model.parameters: ")},
                    Useless{"NotFound", "404", HasSubstr("BadInput: spec.eval.model.url: ")},
                    Useless{"Redirect", "307", HasSubstr("redirects are not followed")},
                    Useless{"FailsOnAll", "500", HasSubstr("ServerFailed: ")},
                    Useless{"ClosesOnAll", "close", HasSubstr("8 samples failed one after the other")},
                    Useless{"RefusesAllForLong", "429", HasSubstr("has answered nothing for 1 s")}),
    [](const auto& row) { return row.param.name; });

TEST_F(OpenAiTest, SamplesThatTheServerDoesNotTakeAreNoFaultOfTheServer) {
    EXPECT_THAT(outcomes(std::vector<std::string>(20, "400")), AllOf(SizeIs(20), Each(HasSubstr("refuses it"))));
}

TEST_F(OpenAiTest, ARefusedSampleSaysSoInItsRecord) {
    auto engine = start();
    ASSERT_TRUE(engine) << engine.error().message;
    (*engine)->begin(batch(1, {"403", "finish content_filter", "a", "500"}));
    const auto answer = (*engine)->next();
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->predictions[0].detail, Json({{"failure", "Refused"}}));
    EXPECT_EQ(answer->predictions[1].detail, Json({{"failure", "Filtered"}}));
    EXPECT_EQ(answer->predictions[2].detail, Json({{"finishReason", "stop"}}));
    EXPECT_EQ(answer->predictions[3].detail, Json::object()) << "that was no refusal";
}

TEST_F(OpenAiTest, ARankWhoseOnlySampleIsRefusedAsksSomethingElseBeforeItBlamesTheServer) {
    EXPECT_THAT(outcomes({"404"}), ElementsAre(HasSubstr("refuses it: it answered 404")));
    EXPECT_EQ(times("Hello"), 1);
    EXPECT_THAT(outcomes({"a", "404"}), ElementsAre("answer to a", HasSubstr("refuses it: it answered 404")));
    EXPECT_EQ(times("Hello"), 1) << "of a server that has answered nothing else need be asked";
}

TEST_F(OpenAiTest, FiftyRefusalsInARowStopTheRun) {
    EXPECT_THAT(outcomes(std::vector<std::string>(49, "400")), SizeIs(49));
    EXPECT_THAT(outcomes(std::vector<std::string>(60, "400")),
                ElementsAre(AllOf(HasSubstr("BadInput: spec.eval.model.parameters: "),
                                  HasSubstr("it has refused 50 questions in a row"))));
}

TEST_F(OpenAiTest, AKeyThatExpiresStopsTheRunAndWhatWasAnsweredIsKept) {
    auto engine = start();
    ASSERT_TRUE(engine) << engine.error().message;
    (*engine)->begin(batch(1, {"a", "b"}));
    ASSERT_TRUE((*engine)->next());
    (*engine)->begin(batch(2, {"401"}));
    EXPECT_THAT(texts_of((*engine)->next()), ElementsAre(AllOf(HasSubstr("BadInput: spec.eval.model.apiKeyVariable: "),
                                                               HasSubstr("it had answered 2 questions before"))));
}

TEST_F(OpenAiTest, CutsAtTheFirstStopTextWhateverTheServerLeavesIn) {
    dataset_.task.stop = {" a", "er"};
    EXPECT_THAT(outcomes({"b", "a"}), ElementsAre("answ", "answ"));
    eval_.model.parameters = {{"stop", "answer"}};
    EXPECT_THAT(outcomes({"b"}), ElementsAre("")) << "what is cut to nothing is an empty answer";
    eval_.model.parameters = {{"stop", {" to"}}, {"include_stop_str_in_output", true}};
    EXPECT_THAT(outcomes({"b"}), ElementsAre("answer to"));
}

/// Knows neither max_tokens nor seed.
class Strict : public OpenAiTest {
protected:
    void serve_chat(Conversation& conversation, const Json& request) override {
        if (request.contains("max_tokens"))
            return conversation.reply(400, R"({"error":{"message":"Unsupported parameter: 'max_tokens'"}})");
        if (request.contains("seed"))
            return conversation.reply(422, R"({"detail":[{"type":"extra_forbidden","loc":["body","seed"]}]})");
        conversation.reply(200, completion(std::to_string(request["max_completion_tokens"].get<int>())));
    }
};

TEST_F(Strict, IsAskedAsItWantsToBeAndNoSamplePaysForIt) {
    dataset_.task.max_new_tokens = 7;
    EXPECT_THAT(outcomes(std::vector<std::string>(30, "a")), AllOf(SizeIs(30), Each("7")));
    eval_.model.token_limit = TokenLimit::MaxTokens;
    EXPECT_THAT(outcomes({"a"}), ElementsAre(HasSubstr("BadInput: spec.eval.model.parameters: ")));
    eval_.model.token_limit = TokenLimit::MaxCompletionTokens;
    eval_.model.send_seed = SendSeed::Never;
    EXPECT_THAT(outcomes({"a"}), ElementsAre("7"));
}

TEST_F(OpenAiTest, ASampleWithoutAQuestionFailsAlone) {
    auto engine = start();
    ASSERT_TRUE(engine) << engine.error().message;
    EngineBatch both = batch(1, {"a", "b"});
    both.requests[0].sample.input = "{}";
    (*engine)->begin(std::move(both));
    EXPECT_THAT(texts_of((*engine)->next()),
                ElementsAre(HasSubstr("failed: the sample has neither messages, nor a prompt"), "answer to b"));
}

TEST_F(OpenAiTest, TheKeyIsSentAndEndsInNoMessage) {
    eval_.model.api_key_variable = "KEY";
    environment_["KEY"] = "sk-secret\n";
    EXPECT_THAT(outcomes({"a"}), ElementsAre("answer to a"));
    for (const Heard& heard : server_->heard()) EXPECT_EQ(heard.authorization, "Bearer sk-secret");
    EXPECT_THAT(outcomes({"401"}), ElementsAre(AllOf(HasSubstr("KEY"), testing::Not(HasSubstr("sk-secret")))));
    environment_.clear();
    EXPECT_THAT(outcomes({"a"}), ElementsAre(HasSubstr("BadInput: spec.eval.model.apiKeyVariable: KEY is not set")));
}

TEST_F(OpenAiTest, AKeyThatTheServerSaysBackForAnAnswerEndsInNoMessage) {
    eval_.model.api_key_variable = "KEY";
    environment_["KEY"] = "0123456789ab";
    EXPECT_THAT(outcomes({"a", "echo 0123456789ab"}),
                ElementsAre("answer to a", AllOf(HasSubstr("its answer is none: it is no JSON object: <html>[key]"),
                                                 testing::Not(HasSubstr("0123456789ab")))));
}

TEST_F(OpenAiTest, ConnectionsAreKept) {
    eval_.inference.max_concurrency = 4;
    EXPECT_THAT(outcomes(std::vector<std::string>(50, "a")), SizeIs(50));
    EXPECT_LE(server_->connections(), 4);
}

TEST_F(OpenAiTest, APromptIsOfTheDataset) {
    dataset_.task.prompt = "{question} and more";
    EXPECT_THAT(outcomes({"a"}), ElementsAre("answer to a and more"));
    dataset_.task.prompt = "{question";
    EXPECT_THAT(outcomes({"a"}), ElementsAre(HasSubstr("BadInput: dataset d: task.prompt: ")));
}

TEST_F(OpenAiTest, ItsLibraryIsTheServersWordAndTheModel) {
    const auto engine = start();
    ASSERT_TRUE(engine) << engine.error().message;
    EXPECT_EQ((*engine)->library(), "test: tiny");
    EXPECT_EQ((*engine)->device(), "of the server");
}

TEST_F(OpenAiTest, CountsItsRequests) {
    auto engine = start();
    ASSERT_TRUE(engine) << engine.error().message;
    (*engine)->begin(batch(1, {"a", "500 once", "b"}));
    ASSERT_TRUE((*engine)->next());
    EXPECT_EQ((*engine)->usage().requests, 4U);
    EXPECT_EQ((*engine)->usage().requests_again, 1U);
}

TEST_F(OpenAiTest, HasBatchesForAllThatTheServerBears) {
    eval_.inference.max_concurrency = 4;
    eval_.inference.max_batch_size = 2;
    const auto engine = start();
    ASSERT_TRUE(engine) << engine.error().message;
    EXPECT_EQ((*engine)->batches_at_once(), 3U);
}

/// Questions "wait" have to wait for "go".
class Waiting : public OpenAiTest {
protected:
    void answer(Conversation& conversation, const Asked& asked, int) override {
        std::unique_lock lock(gate_);
        if (asked.question == "go") is_open_ = true;
        opened_.notify_all();
        opened_.wait(lock, [&] { return is_open_ || asked.question != "wait"; });
        good(conversation, asked);
    }
    std::mutex gate_;
    std::condition_variable opened_;
    bool is_open_ = false;
};

TEST_F(Waiting, TheBatchThatIsWholeFirstIsGivenFirst) {
    auto engine = start();
    ASSERT_TRUE(engine) << engine.error().message;
    (*engine)->begin(batch(1, {"wait", "a"}));
    (*engine)->begin(batch(2, {"b"}));
    EXPECT_EQ((*engine)->next()->ticket, 2U);
    (*engine)->begin(batch(3, {"go"}));
    EXPECT_NE((*engine)->next()->ticket, 2U);
    EXPECT_NE((*engine)->next()->ticket, 2U);
}

TEST_F(Waiting, AnEngineMayEndWhileItsRequestsAreOpen) {
    {
        auto engine = start();
        ASSERT_TRUE(engine) << engine.error().message;
        (*engine)->begin(batch(1, {"wait", "wait", "a"}));
    }
    const std::lock_guard lock(gate_);
    is_open_ = true;
    opened_.notify_all();
}

/// Bears three at a time.
class Small : public OpenAiTest {
protected:
    void answer(Conversation& conversation, const Asked& asked, int open) override {
        if (open > 3) return conversation.reply(429, "busy");
        good(conversation, asked);
    }
};

TEST_F(Small, AServerGetsNoMoreThanItBearsAndEverySampleItsAnswer) {
    std::vector<std::string> questions;
    for (int i = 0; i < 300; ++i) questions.push_back(std::to_string(i));
    const auto texts = outcomes(questions);
    ASSERT_EQ(texts.size(), questions.size());
    for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], "answer to " + questions[i]);
}

// Start and end of the server.

}  // namespace
}  // namespace evaljob::test
