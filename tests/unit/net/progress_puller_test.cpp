// The puller against our own server, on one io_context.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "net/http_server.hpp"
#include "net/progress_puller.hpp"
#include "tests/unit/engine/scripted_server.hpp"

namespace evaljob::test {
namespace {

using namespace std::chrono_literals;

std::string said(int done) {
    return R"({"samplesDone": )" + std::to_string(done) + R"(, "samplesTotal": 100, "idleSeconds": 0, "attempt": 1})";
}

class PullerTest : public testing::Test {
protected:
    PullerTest() {
        const auto listening = server.listen("127.0.0.1", 0, "");
        EXPECT_TRUE(listening.has_value());
    }

    ProgressPuller::Options options() {
        return {[this] { return now; }, per_second, fresh_seconds,
                [this](const std::string& job) {
                    arrived.push_back(job);
                    io.stop();
                }};
    }

    ProgressPuller::Place place(const std::string& job = "default/demo", const std::string& run = "uid") const {
        return {job, run, "127.0.0.1", server.port()};
    }

    /// Until something arrives; a deadline ends a test that would wait for ever.
    void run() {
        io.restart();
        io.run_for(60s);
    }

    boost::asio::io_context io;
    std::int64_t now = 1'000;
    double per_second = 0;
    std::int64_t fresh_seconds = 2;
    std::vector<std::string> arrived;
    std::vector<std::string> asked;
    HttpAnswer next{200, said(7)};
    HttpServer server{io, [this](const std::string& path) {
                          asked.push_back(path);
                          return next;
                      }};
};

TEST_F(PullerTest, TheLatestAnswerIsKeptWithItsTime) {
    ProgressPuller puller(io, options());
    EXPECT_FALSE(puller.latest("uid").has_value());
    puller.ask(place());
    run();
    EXPECT_THAT(arrived, testing::ElementsAre("default/demo"));
    EXPECT_THAT(asked, testing::ElementsAre("/progress"));
    ASSERT_TRUE(puller.latest("uid").has_value());
    EXPECT_EQ(puller.latest("uid")->samples_done, 7);
    EXPECT_EQ(puller.latest("uid")->time, 1'000);
}

TEST_F(PullerTest, AnAnswerThatIsFreshIsNotAskedForAgain) {
    ProgressPuller puller(io, options());
    puller.ask(place());
    run();
    now += 1;
    puller.ask(place());
    io.restart();
    io.poll();
    EXPECT_EQ(asked.size(), 1U);
    now += 1;
    next.body = said(9);
    puller.ask(place());
    run();
    EXPECT_EQ(puller.latest("uid")->samples_done, 9);
}

TEST_F(PullerTest, ALaterJobOfTheSameNameHasNoOldAnswer) {
    ProgressPuller puller(io, options());
    puller.ask(place("default/demo", "first"));
    run();
    EXPECT_TRUE(puller.latest("first").has_value());
    EXPECT_FALSE(puller.latest("second").has_value());
}

TEST_F(PullerTest, WhatIsNoReportLeavesTheLastOne) {
    ProgressPuller puller(io, options());
    puller.ask(place());
    run();
    struct Row {
        const char* name;
        HttpAnswer answer;
    };
    for (const Row& row : {Row{"not found", no_such_path("GET /else")}, Row{"no JSON", {200, "hello"}},
                           Row{"an error with a report", {500, said(1)}}, Row{"negative", {200, said(-1)}}}) {
        now += 10;
        next = row.answer;
        // One request at a time: when the second is there, the first has ended.
        const std::size_t second = asked.size() + 2;
        io.restart();
        while (asked.size() < second) {
            puller.ask(place());
            io.run_one();
        }
        EXPECT_EQ(puller.latest("uid")->samples_done, 7) << row.name;
        EXPECT_EQ(puller.latest("uid")->time, 1'000) << row.name;
    }
    EXPECT_EQ(arrived.size(), 1U);
}

TEST_F(PullerTest, NoMoreThanSoManyASecond) {
    per_second = 1000;
    ProgressPuller puller(io, options());
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < 20; ++i) puller.ask(place("default/" + std::to_string(i), std::to_string(i)));
    while (arrived.size() < 20 && std::chrono::steady_clock::now() - begun < 60s) run();
    EXPECT_EQ(arrived.size(), 20U);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 19ms) << "the twentieth waits for its turn";
}

TEST_F(PullerTest, InterimAnswersAreNotTheAnswer) {
    ScriptedServer hinting(io, [](const Asked&) {
        return std::vector<Step>{say("HTTP/1.1 103 Early Hints\r\n\r\n" + whole_answer(200, said(8)))};
    });
    ProgressPuller puller(io, options());
    ProgressPuller::Place there = place();
    there.port = static_cast<std::uint16_t>(std::stoi(hinting.port()));
    puller.ask(there);
    run();
    ASSERT_TRUE(puller.latest("uid").has_value());
    EXPECT_EQ(puller.latest("uid")->samples_done, 8);
}

TEST_F(PullerTest, NothingIsAskedWithoutAnAddressOrAfterTheEnd) {
    ProgressPuller puller(io, options());
    puller.ask({"default/demo", "uid", "no address", 80});
    puller.stop();
    puller.ask(place("default/other", "other"));
    io.poll();
    EXPECT_TRUE(asked.empty());
}

}  // namespace
}  // namespace evaljob::test
