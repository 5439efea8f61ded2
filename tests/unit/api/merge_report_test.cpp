#include "api/merge_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/json.hpp"

namespace evaljob::test {
namespace {

MergeReport ordinary() {
    MergeReport report;
    report.published = true;
    report.partial = true;
    report.identity = std::string(64, 'a');
    report.digest = std::string(64, 'b');
    report.path = "results/sha256-" + report.digest;
    report.samples = 10000;
    report.missing = 1;
    report.repeated = 2;
    report.conflicting = 3;
    report.failed = 4;
    report.foreign = 5;
    report.answers = {.empty = 6, .truncated = 7, .filtered = 8, .refused = 9};
    report.metrics = {{"fashion", "accuracy", "", "0.9134", "0.0028", 10000}, {"digits", "accuracy", "", "0.5", "", 3}};
    report.ids = {"17", "ein Bild \"ß\"\n"};
    return report;
}

TEST(MergeReport, SurvivesTheWayThroughATerminationMessage) {
    for (const MergeReport& report : {ordinary(), MergeReport{}}) {
        const auto read = decode_merge_report(encode_merge_report(report));
        ASSERT_TRUE(read.has_value()) << read.error().message;
        EXPECT_EQ(*read, report);
    }
}

TEST(MergeReport, WithoutACountOfMissingSaysSoInItsPlace) {
    MergeReport report = ordinary();
    report.missing = std::nullopt;
    const Json object = Json::parse(encode_merge_report(report));
    EXPECT_EQ(object.at("completeness"), "Unknown");
    EXPECT_FALSE(object.contains("missing"));
    EXPECT_EQ(decode_merge_report(object.dump()), report);
    Json lost = object;
    lost.erase("completeness");
    EXPECT_FALSE(decode_merge_report(lost.dump()).has_value()) << "a count that is lost is none that is unknown";
}

MergeReport decoded(const MergeReport& report) {
    const std::string bytes = encode_merge_report(report);
    EXPECT_LT(bytes.size(), 4096U);
    auto read = decode_merge_report(bytes);
    EXPECT_TRUE(read.has_value()) << read.error().message;
    return read.value_or(MergeReport{});
}

TEST(MergeReport, NamesTheFirstTwentyIds) {
    MergeReport report = ordinary();
    report.ids.clear();
    for (int i = 0; i < 100; ++i) report.ids.push_back(std::to_string(i));
    const MergeReport read = decoded(report);
    ASSERT_EQ(read.ids.size(), 20U);
    EXPECT_EQ(read.ids.back(), "19");
    EXPECT_EQ(read.metrics, report.metrics);
}

TEST(MergeReport, DropsIdsBeforeMetrics) {
    MergeReport report = ordinary();
    report.ids.assign(20, std::string(200, 'i'));
    const MergeReport read = decoded(report);
    EXPECT_EQ(read.metrics, report.metrics);
    EXPECT_THAT(read.ids.size(), testing::AllOf(testing::Gt(5U), testing::Lt(20U)));
}

TEST(MergeReport, DropsMetricsFromTheEnd) {
    MergeReport report = ordinary();
    for (int i = 0; i < 1000; ++i) report.metrics.push_back({"d" + std::to_string(i), "accuracy", "", "0.5", "0.1", 1});
    const MergeReport read = decoded(report);
    EXPECT_THAT(read.ids, testing::IsEmpty());
    ASSERT_GT(read.metrics.size(), 10U);
    EXPECT_EQ(read.metrics.back(), report.metrics[read.metrics.size() - 1]);
}

struct Huge {
    const char* name;
    std::string text;
};

class HugeMergeReport : public testing::TestWithParam<Huge> {};

TEST_P(HugeMergeReport, FitsAndKeepsDigestCountsAndTheBeginningOfTheError) {
    MergeReport report = ordinary();
    report.error = "samples are missing: " + GetParam().text;
    report.ids.assign(50, GetParam().text);
    report.metrics.assign(200, Metric{GetParam().text, GetParam().text, "", "0.5", "", 1});
    const MergeReport read = decoded(report);
    EXPECT_EQ(read.digest, report.digest);
    EXPECT_EQ(read.identity, report.identity);
    EXPECT_EQ(read.path, report.path);
    EXPECT_EQ(read.samples, 10000);
    EXPECT_EQ(read.missing, 1);
    EXPECT_EQ(read.foreign, 5);
    EXPECT_THAT(read.error, testing::StartsWith("samples are missing: "));
}

TEST_P(HugeMergeReport, FitsEvenWithAPathAndDigestsThatNoMergeMakes) {
    MergeReport report = ordinary();
    report.path = report.digest = report.identity = report.error = GetParam().text;
    const MergeReport read = decoded(report);
    EXPECT_EQ(read.samples, 10000);
}

std::string times(const std::string& part, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += part;
    return text;
}

INSTANTIATE_TEST_SUITE_P(Table, HugeMergeReport,
                         testing::Values(Huge{"Letters", times("x", 100000)}, Huge{"Quotes", times("\"\\", 50000)},
                                         Huge{"ControlCharacters", times("\x01", 100000)},
                                         Huge{"ManyBytesACharacter", times("𝄞ß€", 20000)},
                                         Huge{"NoUtf8", times("\xff\xc3", 50000)}, Huge{"Empty", ""}),
                         [](const auto& row) { return row.param.name; });

TEST(MergeReport, CutsTheErrorInFrontOfACharacter) {
    for (int shift = 0; shift < 4; ++shift) {
        MergeReport report;
        report.error = std::string(static_cast<std::size_t>(shift), 'x') + times("𝄞", 1000);
        const std::string error = decoded(report).error;
        EXPECT_THAT(error, testing::EndsWith("𝄞…"));
        EXPECT_THAT(error, testing::Not(testing::HasSubstr("\xef\xbf\xbd")));  // U+FFFD
    }
}

TEST(MergeReport, OfAnyOtherBytesIsAnError) {
    const Json whole = Json::parse(encode_merge_report(ordinary()));
    for (const auto& [key, value] : whole.items()) {
        if (key == "metrics" || key == "ids") continue;
        Json without = whole;
        without.erase(key);
        // A merge of an older version does not count answers.
        EXPECT_EQ(decode_merge_report(without.dump()).has_value(), key == "answers") << key;
        Json another = whole;
        another[key] = Json::array();
        const auto read = decode_merge_report(another.dump());
        ASSERT_FALSE(read.has_value()) << key;
        EXPECT_EQ(read.error().reason, "InvalidReport");
        EXPECT_THAT(read.error().message, testing::HasSubstr(key + " must be"));
    }
    const std::string bytes = whole.dump();
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        EXPECT_FALSE(decode_merge_report(bytes.substr(0, length)).has_value());
    }
    EXPECT_FALSE(decode_merge_report("Killed").has_value());
    EXPECT_FALSE(decode_merge_report("[]").has_value());
    EXPECT_FALSE(decode_merge_report("\xff{}").has_value());
    EXPECT_FALSE(decode_merge_report(times(" ", 70000) + bytes).has_value());
}

}  // namespace
}  // namespace evaljob::test
