// Engine Command with a program that misbehaves in every way that a sample's input can ask for.
#include "evaljob-runner/engine/command.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <sstream>
#include <thread>

#include "api/utf8.hpp"
#include "evaljob-runner/launch/own_environment.hpp"
#include "tests/places.hpp"
#include "tests/unit/engine/outcomes.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class CommandTest : public testing::Test {
protected:
    CommandTest() {
        dataset_.name = "d";
        dataset_.format = DatasetFormat::JSONL;
        dataset_.task.type = TaskType::Generation;
        eval_.model.format = ModelFormat::Command;
        environment_["LOCAL_RANK"] = "1";
        environment_["EVALJOB_RUN_FOLDER"] = "/run";
    }

    Result<std::unique_ptr<Engine>> start(const std::string& how = "ready") {
        eval_.model.command = {"python3", EVALJOB_SOURCE_DIR "/tests/unit/engine/misbehave.py", how, folder_.path()};
        return start_command(eval_, folder_.path(), environment_, device_);
    }

    /// Samples "0", "1", … with these inputs, as one batch.
    Result<EngineAnswer> ask(Engine& engine, const std::vector<Json>& inputs) {
        EngineBatch batch{7, &dataset_, {}};
        for (const Json& input : inputs) {
            Request request;
            request.sample.id = std::to_string(batch.requests.size());
            request.sample.input = input.dump();
            request.repeat = 2;
            request.seed = 4'000'000'000U;
            batch.requests.push_back(std::move(request));
        }
        engine.begin(std::move(batch));
        return engine.next();
    }

    /// What came of them: the prediction, or "failed: " and why.
    std::vector<std::string> outcomes(const std::vector<Json>& inputs) {
        auto engine = start();
        if (!engine) return {engine.error().message};
        const auto answer = ask(**engine, inputs);
        if (!answer) return {answer.error().message};
        EXPECT_EQ(answer->ticket, 7U);
        return outcomes_of(*answer);
    }

    std::size_t starts() const { return lines("starts").size(); }
    std::vector<std::string> lines(const std::string& name) const {
        std::istringstream text(folder_.read(name));
        std::vector<std::string> lines;
        for (std::string line; std::getline(text, line);) lines.push_back(line);
        return lines;
    }

    TemporaryFolder folder_;
    Dataset dataset_;
    Eval eval_;
    Environment environment_ = own_environment();
    DeviceChoice device_{"cpu", 0, {}};
};

const Json plain = Json::object();
Json to(const char* what) { return {{"do", what}}; }

struct Row {
    const char* name;
    std::vector<Json> inputs;
    std::vector<testing::Matcher<std::string>> outcomes;
    std::size_t starts;  // of the program
    int timeout = 600;
};

class Misbehaviour : public CommandTest, public testing::WithParamInterface<Row> {};

TEST_P(Misbehaviour, CostsNoMoreThanTheSampleThatItIsOf) {
    eval_.inference.sample_timeout_seconds = GetParam().timeout;
    EXPECT_THAT(outcomes(GetParam().inputs), testing::ElementsAreArray(GetParam().outcomes));
    EXPECT_EQ(starts(), GetParam().starts);
}

const auto died = AllOf(HasSubstr("failed: "), HasSubstr("3 times"), HasSubstr("ended by signal 9"));

INSTANTIATE_TEST_SUITE_P(
    Table, Misbehaviour,
    testing::Values(
        Row{"None", {plain, plain}, {"answer to 0", "answer to 1"}, 1},
        Row{"AnswersInAnotherOrder",
            {to("wait"), to("wait"), to("last"), plain},
            {"answer to 0", "answer to 1", "answer to 2", "answer to 3"},
            1},
        Row{"NoiseOnStandardOutput", {to("noise"), plain}, {"heard", "answer to 1"}, 1},
        // The batch as a whole once more, and no further.
        Row{"DiesOnce", {plain, to("die once"), plain}, {"answer to 0", "alive", "answer to 2"}, 2},
        Row{"HalfALineAndDeath", {to("half a line"), plain}, {"whole", "answer to 1"}, 2},
        // Twice the batch; what stays without an answer is halved, and the one that is left alone has three tries.
        Row{"DiesOnOneSample",
            {plain, plain, to("die"), plain},
            {"answer to 0", "answer to 1", died, "answer to 3"},
            6},
        Row{"DiesOnAllSamples", {plain, to("die"), to("die")}, {"answer to 0", died, died}, 8},
        Row{"EndsByItself", {plain, to("exit")}, {"answer to 0", HasSubstr("it exited with 7")}, 5},
        Row{"ClosesItsOutput", {plain, to("close")}, {"answer to 0", HasSubstr("it did not end by itself")}, 5},
        Row{"Hangs", {to("hang"), plain}, {HasSubstr("no answer for 2 s"), "answer to 1"}, 6, 2},
        Row{"ALineWithoutEnd", {plain, to("endless")}, {"answer to 0", HasSubstr("longer than 100000000 bytes")}, 5},
        Row{"APredictionOf100MB",
            {{{"do", "long"}, {"bytes", 99'000'000}}, plain},
            {HasSubstr("failed: the program's prediction has 99000000 bytes; at most 16777216"), "answer to 1"},
            1},
        Row{"ALongPrediction", {{{"do", "long"}, {"bytes", 1 << 24}}}, {std::string(1 << 24, 'x')}, 1},
        Row{"AnError",
            {{{"do", "line"}, {"line", R"({"request":N,"error":"no such image"})"}}, plain},
            {"failed: no such image", "answer to 1"},
            1},
        Row{"NoPrediction",
            {{{"do", "line"}, {"line", R"({"request":N})"}}},
            {"failed: the program's answer has no prediction"},
            1},
        Row{"ANumberForAPrediction",
            {{{"do", "line"}, {"line", R"({"request":N,"prediction":7})"}}},
            {HasSubstr("neither a text nor")},
            1},
        Row{"DetailThatIsNoObject",
            {{{"do", "line"}, {"line", R"({"request":N,"prediction":"a","detail":[1]})"}}},
            {HasSubstr("detail is no JSON object")},
            1}),
    [](const auto& row) { return row.param.name; });

struct Text {
    const char* name;
    const char* written;  // between the quotes, as hexadecimal digits
    std::string bytes;
    bool is_utf8;
};

class Texts : public CommandTest, public testing::WithParamInterface<Text> {};

TEST_P(Texts, StayAsTheyAre) {
    auto engine = start();
    ASSERT_TRUE(engine) << engine.error().message;
    const auto answer = ask(**engine, {{{"do", "raw"}, {"bytes", GetParam().written}}});
    ASSERT_TRUE(answer) << answer.error().message;
    const Prediction& prediction = answer->predictions.at(0);
    EXPECT_EQ(prediction.error, "");
    EXPECT_EQ(prediction.prediction.is_string(), GetParam().is_utf8);
    std::string bytes;
    ASSERT_TRUE(text_from_json(prediction.prediction, bytes)) << prediction.prediction.dump();
    EXPECT_EQ(bytes, GetParam().bytes);
    EXPECT_EQ(text_to_json(bytes), Json::parse(prediction.prediction.dump())) << "JSON takes it there and back";
}

INSTANTIATE_TEST_SUITE_P(
    Table, Texts,
    testing::Values(Text{"Empty", "", "", true}, Text{"Ascii", "6162", "ab", true},
                    Text{"Utf8", "c3a9e282acf09f9880", "é€😀", true},
                    Text{"EscapedPair", "5c75643833645c7564653030", "😀", true},
                    Text{"EscapedNul", "615c753030303062", std::string("a\0b", 3), true},
                    Text{"Nul", "610062", std::string("a\0b", 3), true}, Text{"Tab", "6109", "a\t", true},
                    Text{"Latin1", "63616665e9", "cafe\xe9", false}, Text{"AByte", "ff", "\xff", false},
                    Text{"Overlong", "c080", "\xc0\x80", false}, Text{"CutOff", "61e282", "a\xe2\x82", false},
                    Text{"LoneHighSurrogate", "5c756438336461",
                         "\xed\xa0\xbd"
                         "a",
                         false},
                    Text{"LoneLowSurrogate", "5c7564653030", "\xed\xb8\x80", false},
                    Text{"PairInTheWrongOrder", "5c75646530305c7564383364", "\xed\xb8\x80\xed\xa0\xbd", false}),
    [](const auto& row) { return row.param.name; });

TEST_F(CommandTest, TheEngineCutsAtTheFirstStopTextItself) {
    dataset_.task.stop = {"0", " to", "1"};
    EXPECT_THAT(outcomes({plain, plain}), ElementsAre("answer", "answer"));
    dataset_.task.stop = {"answer"};
    EXPECT_THAT(outcomes({plain}), ElementsAre(""));
}

TEST_F(CommandTest, AProgramMayGiveBytesAsBase64) {
    EXPECT_THAT(outcomes({{{"do", "line"}, {"line", R"({"request":N,"prediction":{"base64":"/w=="}})"}}}),
                ElementsAre("\xff"));
}

TEST_F(CommandTest, TheRequestSaysAllThatTheProgramNeeds) {
    dataset_.task.max_new_tokens = 64;
    dataset_.path = "sets/lines.jsonl";
    const auto seen = outcomes({{{"do", "see"}, {"see", "request"}, {"question", "é?"}}});
    ASSERT_EQ(seen.size(), 1U);
    const Json request = Json::parse(seen[0]);
    EXPECT_EQ(request["id"], "0");
    EXPECT_EQ(request["dataset"], "d");
    EXPECT_EQ(request["folder"], folder_ / "sets");
    EXPECT_EQ(request["repeat"], 2);
    EXPECT_EQ(request["seed"], 4'000'000'000U);
    EXPECT_EQ(request["maxNewTokens"], 64);
    EXPECT_EQ(request["input"]["question"], "é?");
}

TEST_F(CommandTest, TheProgramSeesItsRankAndNeitherWhereTheTokenLiesNorAnybodysFiles) {
    const auto seen = outcomes({{{"do", "see"}, {"see", "environment"}}, {{"do", "see"}, {"see", "files"}}});
    ASSERT_EQ(seen.size(), 2U);
    const Json environment = Json::parse(seen[0]);
    EXPECT_EQ(environment["LOCAL_RANK"], "1");
    EXPECT_FALSE(environment.contains("EVALJOB_RUN_FOLDER"));
    EXPECT_EQ(Json::parse(seen[1]), Json({"0", "1", "2", "3"})) << "3 is the folder that is listed";
}

TEST(ProgramEnvironment, HasTheGpuOfItsRankAlone) {
    const Environment rank{{"CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b"}, {"LOCAL_RANK", "1"}};
    EXPECT_EQ(program_environment(rank, {"cuda", 1, {"GPU-a", "GPU-b"}}).at("CUDA_VISIBLE_DEVICES"), "GPU-b");
    EXPECT_EQ(program_environment(rank, {"cuda", 2, {"0", "1", "2", "3"}, 2}).at("CUDA_VISIBLE_DEVICES"), "2,3");
    EXPECT_EQ(program_environment(rank, {"cpu", 0, {}}).at("CUDA_VISIBLE_DEVICES"), "");
}

TEST_F(CommandTest, ItsLibraryIsWhatItSaysWhenItIsReady) {
    auto engine = start("noise");
    ASSERT_TRUE(engine) << engine.error().message;
    EXPECT_EQ((*engine)->library(), "misbehave 1.0");
}

struct BadStart {
    const char* name;
    const char* how;
    const char* reason;
    const char* says;
};

class Start : public CommandTest, public testing::WithParamInterface<BadStart> {};

TEST_P(Start, ThatFailsSaysWhatIsTheMatter) {
    eval_.inference.startup_timeout_seconds = 2;
    const auto engine = start(GetParam().how);
    ASSERT_FALSE(engine);
    EXPECT_EQ(engine.error().reason, GetParam().reason);
    EXPECT_THAT(engine.error().message,
                AllOf(HasSubstr("spec.eval.model.command: python3: "), HasSubstr(GetParam().says)));
}

INSTANTIATE_TEST_SUITE_P(Table, Start,
                         testing::Values(BadStart{"Exits", "exit", "ProgramFailed",
                                                  "it exited with 3 before it said {\"ready\": true}"},
                                         BadStart{"IsNeverReady", "hang", "NotReady", "did not say {\"ready\": true}"}),
                         [](const auto& row) { return row.param.name; });

TEST_F(CommandTest, AProgramThatIsNotThereIsBadInput) {
    eval_.model.command = {"no-such-program"};
    auto engine = start_command(eval_, folder_.path(), environment_, device_);
    ASSERT_FALSE(engine);
    EXPECT_EQ(engine.error().reason, "BadInput");
    EXPECT_THAT(engine.error().message,
                HasSubstr("spec.eval.model.command: no-such-program: No such file or directory"));
    eval_.model.path = "nowhere";
    engine = start_command(eval_, folder_.path(), environment_, device_);
    ASSERT_FALSE(engine);
    EXPECT_EQ(engine.error().reason, "BadInput");
    EXPECT_THAT(engine.error().message, HasSubstr("spec.eval.model.path: "));
}

TEST_F(CommandTest, AProgramThatNeverAnswersIsGivenUp) {
    auto engine = start();
    ASSERT_TRUE(engine) << engine.error().message;
    const auto answer = ask(**engine, std::vector<Json>(8, to("die")));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().reason, "ProgramFailed");
    EXPECT_THAT(answer.error().message, HasSubstr("it has never given an answer, and failed on 4 samples"));
}

TEST_F(CommandTest, AProgramThatDiesBetweenBatchesIsStartedAgain) {
    auto engine = start();
    ASSERT_TRUE(engine) << engine.error().message;
    ASSERT_TRUE(ask(**engine, {plain}));
    const pid_t program = std::stoi(lines("starts").at(0));
    ASSERT_EQ(::kill(program, SIGKILL), 0);
    const auto answer = ask(**engine, {plain, plain});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->predictions.at(1).prediction, "answer to 1");
}

/// A process that is gone, or has ended and waits for its parent.
bool is_gone(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(file, text);
    const auto name_end = text.rfind(')');
    return name_end == std::string::npos || text.substr(name_end + 2, 1) == "Z";
}

bool all_gone(const std::string& pids) {
    for (int looks = 0; looks < 60'000; ++looks) {
        std::istringstream numbers(pids);
        bool gone = true;
        for (pid_t pid = 0; numbers >> pid;) gone = gone && is_gone(pid);
        if (gone) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
}

TEST_F(CommandTest, WhatTheProgramHasStartedEndsWithTheEngine) {
    {
        auto engine = start();
        ASSERT_TRUE(engine) << engine.error().message;
        ASSERT_TRUE(ask(**engine, {to("children")}));
        EXPECT_FALSE(is_gone(std::stoi(folder_.read("pids"))));
    }
    EXPECT_TRUE(all_gone(folder_.read("pids"))) << folder_.read("pids");
}

TEST_F(CommandTest, WhatTheProgramHasStartedEndsWithAKilledRank) {
    const pid_t rank = ::fork();
    if (rank == 0) {
        auto engine = start();
        if (engine && ask(**engine, {to("children")})) folder_.write("ready", "");
        for (;;) ::pause();
    }
    for (int looks = 0; looks < 60'000 && !std::filesystem::exists(folder_ / "ready"); ++looks)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const std::string pids = folder_.read("pids");
    EXPECT_FALSE(pids.empty());
    ASSERT_EQ(::kill(rank, SIGKILL), 0);
    ASSERT_EQ(::waitpid(rank, nullptr, 0), rank);
    EXPECT_TRUE(all_gone(pids + folder_.read("parent"))) << pids;
}

}  // namespace
}  // namespace evaljob::test
