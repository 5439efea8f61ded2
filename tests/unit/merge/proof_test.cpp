#include "evaljob-runner/merge/proof.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "run_folder.hpp"

namespace evaljob {
namespace {

using test::answer;
using test::small_manifest;
using testing::ElementsAre;
using testing::IsEmpty;

Proof prove(const Manifest& manifest, const std::vector<Record>& records) {
    Prover prover(manifest, "this");
    prover.begin_shard("a.shard", "this");
    for (const Record& record : records) prover.add(record);
    return std::move(prover).finish();
}

std::vector<Record> whole_run() {
    std::vector<Record> records;
    for (int i = 0; i < 12; ++i) records.push_back(answer(i, {1, static_cast<std::uint64_t>(i) / 4}));
    return records;
}

Record failed(int sample, LeaseNumber lease, std::string why = "out of memory") {
    Record r = answer(sample, lease);
    r.prediction = nullptr;
    r.detail = Json::object();
    r.error = std::move(why);
    return r;
}

Record other(int sample, LeaseNumber lease) {
    Record r = answer(sample, lease);
    r.prediction = 2 - r.prediction.value().get<int>() % 2;  // never what answer() gave
    r.detail = {{"confidence", "0.500000"}};
    return r;
}

struct Counts {
    std::uint64_t missing = 0, repeated = 0, conflicting = 0, failed = 0, foreign = 0;
    bool operator==(const Counts&) const = default;
};
void PrintTo(const Counts& c, std::ostream* out) {
    *out << "missing " << c.missing << ", repeated " << c.repeated << ", conflicting " << c.conflicting << ", failed "
         << c.failed << ", foreign " << c.foreign;
}

Counts counts_of(const Proof& p) {
    return {p.missing.count, p.repeated.count, p.conflicting.count, p.failed.count, p.foreign.count};
}

/// What is done to the records of a whole run, and what the proof then counts. Sample 7 is the one at fault.
struct Row {
    const char* name;
    std::vector<Record> added;
    bool without_seven;
    Counts expected;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

Record renamed(std::uint32_t dataset, const std::string& id, std::uint32_t repeat) {
    Record r = answer(7, {1, 1});
    r.dataset = dataset;
    r.id = id;
    r.repeat = repeat;
    return r;
}

const Row rows[] = {
    {"Whole", {}, false, {}},
    {"Missing", {}, true, {.missing = 1}},
    {"TwiceUnderTwoLeases", {answer(7, {1, 9})}, false, {.repeated = 1}},
    {"TwiceUnderOneLease", {answer(7, {1, 1})}, false, {.repeated = 1}},
    {"ThreeTimes", {answer(7, {1, 9}), answer(7, {2, 0})}, false, {.repeated = 1}},
    {"Conflicting", {other(7, {1, 9})}, false, {.repeated = 1, .conflicting = 1}},
    {"ConflictingUnderOneLease", {other(7, {1, 1})}, false, {.repeated = 1, .conflicting = 1}},
    {"Failed", {failed(7, {1, 1})}, true, {.failed = 1}},
    {"FailedTwiceForOtherReasons",
     {failed(7, {1, 1}), failed(7, {2, 0}, "timeout")},
     true,
     {.repeated = 1, .failed = 1}},
    {"FailedThenPredicted", {failed(7, {1, 0})}, false, {.repeated = 1}},
    {"ForeignId", {renamed(0, "12", 0)}, false, {.foreign = 1}},
    {"ForeignDataset", {renamed(1, "7", 0)}, false, {.foreign = 1}},
    {"ForeignRepeat", {renamed(0, "7", 1)}, false, {.foreign = 1}},
};

class ProofOf : public testing::TestWithParam<Row> {};

TEST_P(ProofOf, CountsInWhateverOrderRecordsCome) {
    Manifest manifest = small_manifest();
    std::vector<Record> records = whole_run();
    if (GetParam().without_seven) records.erase(records.begin() + 7);
    records.insert(records.end(), GetParam().added.begin(), GetParam().added.end());
    std::mt19937 shuffle(1);
    std::string seven;
    for (int round = 0; round < 20; ++round) {
        Proof proof = prove(manifest, records);
        ASSERT_EQ(counts_of(proof), GetParam().expected);
        for (const Fault* fault : {&proof.missing, &proof.repeated, &proof.conflicting, &proof.failed}) {
            EXPECT_THAT(fault->ids, fault->count > 0 ? std::vector<std::string>{"7"} : std::vector<std::string>{});
        }
        Outcome outcome = proof.outcome(7);
        std::string now = std::string(outcome.prediction) + std::string(outcome.detail) + std::string(outcome.error);
        if (round == 0) seven = now;
        EXPECT_EQ(now, seven);
        std::shuffle(records.begin(), records.end(), shuffle);
    }
}

INSTANTIATE_TEST_SUITE_P(Faults, ProofOf, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

TEST(Proof, TheLowestLeaseCounts) {
    std::vector<Record> records = whole_run();
    records.insert(records.begin(), other(7, {2, 0}));
    records.push_back(other(5, {1, 0}));
    Manifest manifest = small_manifest();
    Proof proof = prove(manifest, records);
    EXPECT_EQ(proof.outcome(7).prediction, "1");
    EXPECT_EQ(proof.outcome(7).lease, (LeaseNumber{1, 1}));
    EXPECT_EQ(proof.outcome(5).prediction, other(5, {}).prediction.text());
    EXPECT_THAT(proof.conflicting.ids, ElementsAre("5", "7"));
}

TEST(Proof, APredictionCountsBeforeAFailureOfALowerLease) {
    Manifest manifest = small_manifest();
    std::vector<Record> records = whole_run();
    records.push_back(failed(7, {0, 0}));
    Proof proof = prove(manifest, records);
    EXPECT_EQ(proof.outcome(7).state, ItemState::Predicted);
    EXPECT_EQ(proof.outcome(7).error, "");
    EXPECT_EQ(proof.extra_records, 1u);
}

TEST(Proof, ARecordWithoutPredictionOrErrorHasFailed) {
    Manifest manifest = small_manifest();
    std::vector<Record> records = whole_run();
    records[7].prediction = nullptr;
    Proof proof = prove(manifest, records);
    EXPECT_THAT(proof.failed.ids, ElementsAre("7"));
    EXPECT_NE(proof.outcome(7).error, "");
}

TEST(Proof, AllRecordsOfALogOfAnotherEvaluationAreForeign) {
    Manifest manifest = small_manifest();
    Prover prover(manifest, "this");
    prover.begin_shard("other.shard", "that");
    for (const Record& record : whole_run()) prover.add(record);
    prover.begin_shard("ours.shard", "this");
    for (const Record& record : whole_run()) prover.add(record);
    Proof proof = std::move(prover).finish();
    EXPECT_EQ(counts_of(proof), (Counts{.foreign = 12}));
    EXPECT_THAT(proof.foreign_shards, ElementsAre("other.shard"));
    EXPECT_THAT(proof.foreign.ids.front(), testing::HasSubstr("other.shard"));
}

TEST(Proof, NamesTheFirstTwentyAndCountsAll) {
    Manifest manifest = small_manifest();
    manifest.samples.clear();
    for (int i = 0; i < 50; ++i) manifest.samples.push_back({0, std::to_string(i), "", Json(0), ""});
    Proof proof = prove(manifest, {});
    EXPECT_EQ(proof.missing.count, 50u);
    EXPECT_EQ(proof.missing.ids.size(), 20u);
    EXPECT_EQ(proof.missing.ids.back(), "19");
}

TEST(Proof, KeepsRepeatsOfASampleApart) {
    Manifest manifest = small_manifest();
    manifest.repeats = 2;
    std::vector<Record> records = whole_run();
    for (Record r : whole_run())
        if (r.id != "3") records.push_back((r.repeat = 1, r));
    Proof proof = prove(manifest, records);
    EXPECT_EQ(counts_of(proof), (Counts{.missing = 1}));
    EXPECT_THAT(proof.missing.ids, ElementsAre("3#1"));
    EXPECT_EQ(proof.items, 24u);
}

TEST(Proof, NamesTheDatasetWhereThereAreSeveral) {
    Manifest manifest = small_manifest();
    manifest.config["datasets"].push_back({{"name", "shoes"}});
    manifest.samples.push_back({1, "7", "", Json(0), ""});
    Proof proof = prove(manifest, whole_run());
    EXPECT_THAT(proof.missing.ids, ElementsAre("shoes/7"));
    EXPECT_THAT(proof.repeated.ids, IsEmpty());
}

}  // namespace
}  // namespace evaljob
