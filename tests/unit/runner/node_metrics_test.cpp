#include "evaljob-runner/launch/node_metrics.hpp"

#include <gmock/gmock.h>

#include "api/json.hpp"
#include "evaljob-runner/launch/rank_counters.hpp"

namespace evaljob::test {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<RankUsage> two{{4, 0, 10, 160, 1, 2.5, 1, 7.25, 0.5}, {5, 2, 9, 144, 0, 2, 3, 6, 1}};

TEST(NodeMetrics, SayOfEveryRankWhatItDidAndWhereItsTimeWent) {
    const std::string text = node_metrics(two, nullptr);
    for (const char* line :
         {"# TYPE evaljob_rank_samples_total counter\n", "evaljob_rank_samples_total{rank=\"4\"} 160\n",
          "evaljob_rank_samples_failed_total{rank=\"4\"} 1\n", "evaljob_rank_batches_total{rank=\"5\"} 9\n",
          "evaljob_rank_restarts_total{rank=\"5\"} 2\n",
          "evaljob_rank_seconds_total{rank=\"4\",spent=\"computing\"} 7.25\n",
          "evaljob_rank_seconds_total{rank=\"5\",spent=\"waiting\"} 3\n"})
        EXPECT_THAT(text, HasSubstr(line));
    EXPECT_THAT(text, Not(HasSubstr("evaljob_run_"))) << "no coordinator lives here";
}

TEST(NodeMetrics, SayWhatWasAskedOfAServerWhereThereIsOne) {
    EXPECT_THAT(node_metrics(two, nullptr), Not(HasSubstr("requests")));
    std::vector<RankUsage> ranks = two;
    ranks[1].requests = 150;
    ranks[1].requests_again = 6;
    ranks[1].completion_tokens = 4'000;
    const std::string text = node_metrics(ranks, nullptr);
    for (const char* line :
         {"evaljob_rank_requests_total{rank=\"4\"} 0\n", "evaljob_rank_requests_total{rank=\"5\"} 150\n",
          "evaljob_rank_requests_again_total{rank=\"5\"} 6\n",
          "evaljob_rank_tokens_total{rank=\"5\",kind=\"prompt\"} 0\n",
          "evaljob_rank_tokens_total{rank=\"5\",kind=\"completion\"} 4000\n"})
        EXPECT_THAT(text, HasSubstr(line));
}

TEST(NodeMetrics, SayOnNode0WhatTheRunIsAt) {
    CoordinatorProgress run;
    run.samples_total = 1'000;
    run.samples_done = 304;
    run.leases = 21;
    run.leases_again = 2;
    run.leases_twice = 3;
    run.balance = {2'500, 2'000, 750};
    run.ranks.resize(2);
    run.ranks[1].connected = true;
    const std::string text = node_metrics(two, &run);
    for (const char* line : {"evaljob_run_samples 1000\n", "evaljob_run_samples_done 304\n",
                             "evaljob_run_leases_total 21\n", "evaljob_run_leases_again_total 2\n",
                             "evaljob_run_leases_twice_total 3\n", "evaljob_run_makespan_seconds 2.5\n",
                             "evaljob_run_bound_seconds 2\n", "evaljob_run_idle_seconds_total 0.75\n",
                             "evaljob_run_ranks_connected 1\n", "evaljob_rank_samples_total{rank=\"4\"} 160\n"})
        EXPECT_THAT(text, HasSubstr(line));
}

TEST(NodeProgress, HasTheNodesOwnRanks) {
    EXPECT_EQ(Json::parse(node_progress_json({two[1]}, 3)), Json::parse(R"({"attempt": 3, "ranks": [
        {"rank": 5, "restarts": 2, "batches": 9, "samples": 144, "samplesFailed": 0, "computeSeconds": 6.0}]})"));
}

TEST(SharedCounters, AreSeenByWhoeverOpensThemByTheirPath) {
    const auto made = SharedCounters::make();
    ASSERT_TRUE(made);
    {
        const SharedCounters opened = SharedCounters::open(made->path());
        opened->samples += 3;
        const SharedCounters again = SharedCounters::open(made->path());  // a rank that was restarted
        again->samples += 4;
    }
    EXPECT_EQ((*made)->samples, 7U);
}

TEST(SharedCounters, AreThereForARankWithoutALauncher) {
    for (const char* path : {"", "/nonexistent", "/dev/null"}) {
        const SharedCounters counters = SharedCounters::open(path);
        counters->batches += 1;
        EXPECT_EQ(counters->batches, 1U);
    }
}

TEST(Laps, LoseNoTimeBetweenTwo) {
    std::atomic<std::uint64_t> one{0};
    std::atomic<std::uint64_t> other{0};
    const auto before = std::chrono::steady_clock::now();
    Laps laps;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 1'000; ++i) laps.add_to(i % 2 == 0 ? one : other);
    const auto end = std::chrono::steady_clock::now();
    laps.add_to(one);
    const auto after = std::chrono::steady_clock::now();
    const std::chrono::microseconds counted(one + other);
    EXPECT_GE(counted + std::chrono::microseconds(1), end - begin);
    EXPECT_LE(counted, after - before);
}

}  // namespace
}  // namespace evaljob::test
