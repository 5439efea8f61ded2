#include "api/progress_report.hpp"

#include <gtest/gtest.h>

#include "api/json.hpp"

namespace evaljob {
namespace {

Json whole() {
    return {{"samplesDone", 5},
            {"samplesTotal", 10},
            {"samplesPerSecond", 2.5},
            {"etaSeconds", 2},
            {"slowestRank", "3"},
            {"waitingFor", "http://s/v1"},
            {"rendezvousReady", true},
            {"idleSeconds", 4},
            {"attempt", 1},
            {"ranks", Json::array({{{"connected", true}}, {{"connected", false}}})}};
}

TEST(ProgressReport, IsReadAsItWasSaid) {
    const auto report = parse_progress_report(whole().dump());
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->samples_done, 5);
    EXPECT_EQ(report->samples_total, 10);
    EXPECT_EQ(report->samples_per_second, 2.5);
    EXPECT_EQ(report->eta_seconds, 2);
    EXPECT_EQ(report->slowest_rank, "3");
    EXPECT_EQ(report->waiting_for, "http://s/v1");
    EXPECT_TRUE(report->rendezvous_ready);
    EXPECT_EQ(report->idle_seconds, 4);
    EXPECT_EQ(report->attempt, 1);
    EXPECT_EQ(report->ranks_connected, 1);
}

TEST(ProgressReport, AnIdentityIsTakenWhereItCanBeOne) {
    const std::string identity(64, 'e');
    struct Row {
        const char* name;
        Json said;
        std::string taken;
    };
    const std::vector<Row> rows{
        {"a digest", identity, identity},           {"none yet", "", ""},
        {"an older runner says none", nullptr, ""}, {"too long", identity + "e", ""},
        {"too short", identity.substr(1), ""},      {"other characters", std::string(63, 'e') + "$", ""},
        {"capitals", std::string(64, 'E'), ""},     {"a number", 7, ""}};
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        Json report = whole();
        report["identity"] = row.said;
        EXPECT_EQ(parse_progress_report(report.dump())->identity, row.taken);
        EXPECT_EQ(identity_in_last_words(Json{{"identity", row.said}}.dump()), row.taken);
    }
    EXPECT_EQ(identity_in_last_words(encode_last_words(identity)), identity);
    for (const char* words : {"", "done", "[]", "{}", "{"}) EXPECT_EQ(identity_in_last_words(words), "") << words;
}

TEST(ProgressReport, WhatOurRunnerWouldNotSayIsRefused) {
    struct Row {
        const char* name;
        const char* field;
        Json value;
    };
    for (const Row& row :
         {Row{"negative", "samplesDone", -1}, Row{"text", "samplesTotal", "10"},
          Row{"beyond 64 bits", "samplesDone", 18446744073709551615ULL}, Row{"missing", "idleSeconds", nullptr},
          Row{"fraction", "attempt", 1.5}, Row{"beyond 32 bits", "attempt", 4'294'967'296}}) {
        Json said = whole();
        said[row.field] = row.value;
        const auto report = parse_progress_report(said.dump());
        ASSERT_FALSE(report.has_value()) << row.name;
        EXPECT_EQ(report.error().reason, "BadMessage") << row.name;
    }
    EXPECT_FALSE(parse_progress_report("").has_value());
    EXPECT_FALSE(parse_progress_report("[1]").has_value());
}

TEST(ProgressReport, AnInfiniteEstimateIsNone) {
    Json said = whole();
    said["etaSeconds"] = nullptr;
    EXPECT_EQ(parse_progress_report(said.dump())->eta_seconds, 0);
}

}  // namespace
}  // namespace evaljob
