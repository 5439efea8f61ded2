#include "operator/cluster/paced_transport.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

namespace evaljob::cluster {
namespace {

using namespace std::chrono_literals;

/// Answers what it was told to, in order; then 200.
class Scripted : public kube::Transport {
public:
    Result<kube::Response> send(const kube::Request&) override {
        ++sent;
        if (answers.empty()) return kube::Response{200, "{}", 0};
        auto answer = answers.front();
        answers.pop_front();
        return answer;
    }
    Result<std::unique_ptr<kube::ByteStream>> open(const kube::Request&) override {
        return fail("Unreachable", "there are none");
    }

    std::deque<Result<kube::Response>> answers;
    int sent = 0;
};

class PacedTransportTest : public testing::Test {
protected:
    std::unique_ptr<PacedTransport> with(Pace pace) {
        return std::make_unique<PacedTransport>(
            inner, pace, [this] { return now; },
            [this](kube::Milliseconds time) {
                now += time;
                sleeps.push_back(time);
            });
    }

    Scripted inner;
    kube::Milliseconds now{1'000'000};
    std::vector<kube::Milliseconds> sleeps;
};

TEST_F(PacedTransportTest, ABurstGoesAtOnceAndTheRestAtItsRate) {
    const auto paced = with({.per_second = 20, .burst = 3});
    for (int i = 0; i < 6; ++i) EXPECT_TRUE(paced->send({}).has_value());
    EXPECT_EQ(sleeps, (std::vector<kube::Milliseconds>{50ms, 50ms, 50ms}));
}

TEST_F(PacedTransportTest, WithoutALimitNothingWaits) {
    const auto paced = with({});
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(paced->send({}).has_value());
    EXPECT_TRUE(sleeps.empty());
}

TEST_F(PacedTransportTest, RetryAfterIsKept) {
    inner.answers = {kube::Response{429, "{}", 2}, kube::Response{503, "{}", 1}};
    EXPECT_EQ(with({})->send({})->status, 200);
    EXPECT_EQ(sleeps, (std::vector<kube::Milliseconds>{2s, 1s}));
}

TEST_F(PacedTransportTest, ItGivesUpAfterAFewAndWaitsNoHour) {
    inner.answers.assign(10, kube::Response{429, "{}", 3600});
    EXPECT_EQ(with({})->send({})->status, 429);
    EXPECT_EQ(inner.sent, 4);
    EXPECT_EQ(sleeps, (std::vector<kube::Milliseconds>(3, 30s)));
}

TEST_F(PacedTransportTest, WhatTheServerDidNotAskForIsNotSentAgain) {
    inner.answers = {kube::Response{500, "{}", 0}};
    EXPECT_EQ(with({})->send({})->status, 500);
    inner.answers = {fail("Unreachable", "reset", true)};
    EXPECT_FALSE(with({})->send({}).has_value()) << "a write may have been carried out";
    EXPECT_EQ(inner.sent, 2);
}

}  // namespace
}  // namespace evaljob::cluster
