#include "evaljob-runner/merge/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run_folder.hpp"

namespace evaljob {
namespace {

using test::answer;
using test::small_manifest;
using testing::ElementsAre;

DatasetScores score_of(const Manifest& manifest, const std::vector<Record>& records, std::size_t worst_limit = 30) {
    Prover prover(manifest, "this");
    prover.begin_shard("a.shard", "this");
    for (const Record& record : records) prover.add(record);
    Proof proof = std::move(prover).finish();
    return score(manifest, proof, worst_limit).at(0);
}

std::vector<Record> answers() {
    std::vector<Record> records;
    for (int i = 0; i < 12; ++i) records.push_back(answer(i, {1, 0}));
    return records;
}

TEST(Metrics, CountTheRightAnswersOverAllAndPerClassInTheOrderOfTheClasses) {
    Manifest manifest = small_manifest();
    DatasetScores scores = score_of(manifest, answers());
    EXPECT_EQ(scores.metrics.front().all.share.successes, 10u);
    EXPECT_EQ(scores.metrics.front().all.share.n, 12u);
    std::vector<std::string> groups;
    std::vector<std::uint64_t> right;
    for (const Score& group : scores.metrics.front().groups) {
        groups.push_back(group.group);
        right.push_back(group.share.successes);
        EXPECT_EQ(group.share.n, 4u);
    }
    EXPECT_THAT(groups, ElementsAre("Shirt", "Coat", "Bag"));
    EXPECT_THAT(right, ElementsAre(3, 3, 4));  // 9 is a Shirt, 4 is a Coat
}

TEST(Metrics, AFailedSampleIsWrongAndAMissingOneCountsInNoScore) {
    Manifest manifest = small_manifest();
    std::vector<Record> records = answers();
    records[0].prediction = nullptr;
    records[0].error = "out of memory";
    records.erase(records.begin() + 1);
    DatasetScores scores = score_of(manifest, records);
    EXPECT_EQ(scores.metrics.front().all.share.successes, 8u);
    EXPECT_EQ(scores.metrics.front().all.share.n, 11u);
    EXPECT_EQ(scores.confusion.at(0, column_failed), 1u);
    EXPECT_EQ(scores.confusion.columns.back(), column_failed);
}

TEST(Metrics, TheConfusionMatrixHasEveryNamedClassAndEveryItemOnce) {
    Manifest manifest = small_manifest({"Shirt", "Coat", "Bag", "Never seen"});
    manifest.samples.resize(3);
    DatasetScores scores = score_of(manifest, {answer(0, {}), answer(1, {}), answer(2, {})});
    EXPECT_THAT(scores.confusion.targets, ElementsAre(0, 1, 2, 3));
    EXPECT_THAT(scores.confusion.columns, ElementsAre(0, 1, 2, 3));
    std::uint64_t sum = 0;
    for (const auto& [cell, n] : scores.confusion.counts) sum += n;
    EXPECT_EQ(sum, 3u);
    EXPECT_EQ(scores.confusion.at(1, 1), 1u);
    EXPECT_EQ(scores.confusion.at(3, 3), 0u);
}

TEST(Metrics, APredictionThatIsNoClassNumberIsWrongAndHasAColumnOfItsOwn) {
    Manifest manifest = small_manifest();
    std::vector<Record> records = answers();
    records[0].prediction = "Shirt";
    records[1].prediction = -1;
    records[2].prediction = std::int64_t{1} << 60;
    records[3].prediction = 0.0;
    DatasetScores scores = score_of(manifest, records);
    EXPECT_EQ(scores.metrics.front().all.share.successes, 6u);
    EXPECT_EQ(scores.confusion.columns, (std::vector<std::int64_t>{0, 1, 2, column_no_class}));
}

TEST(Metrics, TheWorstErrorsAreTheMostConfidentOnes) {
    Manifest manifest = small_manifest();
    manifest.samples.clear();
    std::vector<Record> records;
    for (int i = 0; i < 1000; ++i) {
        manifest.samples.push_back({0, std::to_string(i), "", Json(0), ""});
        records.push_back({0, std::to_string(i), 0, {}, Json(1), {{"confidence", decimal(i % 500 / 1000.0, 6)}}, ""});
    }
    std::vector<std::uint64_t> items;
    for (const WrongAnswer& wrong : score_of(manifest, records, 4).worst) items.push_back(wrong.item);
    EXPECT_THAT(items, ElementsAre(499, 999, 498, 998));
}

struct ConfidenceRow {
    const char* name;
    const char* detail;
    const char* confidence;
};
void PrintTo(const ConfidenceRow& row, std::ostream* out) { *out << row.name; }

class Confidence : public testing::TestWithParam<ConfidenceRow> {};

TEST_P(Confidence, IsANumberOrNothing) {
    Outcome outcome;
    outcome.detail = GetParam().detail;
    EXPECT_EQ(confidence_of(outcome), GetParam().confidence);
}

INSTANTIATE_TEST_SUITE_P(Rows, Confidence,
                         testing::Values(ConfidenceRow{"Text", R"({"confidence":"0.987654"})", "0.987654"},
                                         ConfidenceRow{"Number", R"({"confidence":0.5})", "0.5"},
                                         ConfidenceRow{"UsualFormButNoNumber", R"({"confidence":"0."})", ""},
                                         ConfidenceRow{"LeadingZeros", R"({"confidence":"00.5"})", ""},
                                         ConfidenceRow{"Two", R"({"confidence":"0.5","b":"0"})", "0.5"},
                                         ConfidenceRow{"Absent", R"({"other":1})", ""},
                                         ConfidenceRow{"NotANumber", R"({"confidence":"nan"})", ""},
                                         ConfidenceRow{"Newline", R"({"confidence":"1\n"})", ""},
                                         ConfidenceRow{"MoreThanANumber", R"({"confidence":"1,\"a\":2"})", ""},
                                         ConfidenceRow{"Object", R"({"confidence":{}})", ""}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob
