#include "evaljob-runner/merge/result_lines.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "evaljob-runner/merge/proof_file.hpp"
#include "run_folder.hpp"
#include "tests/places.hpp"

namespace evaljob {
namespace {

using test::answer;
using test::small_manifest;

/// Twelve samples with everything a line can show: text that must be quoted, a failure, answers right and wrong.
struct SmallJob {
    Manifest manifest = small_manifest({"Shirt, \"white\"", "=1+1", "Tasche\n(groß)"});
    Proof proof;
    std::vector<DatasetScores> scores;

    SmallJob() {
        manifest.samples[3].id = "@three";
        Prover prover(manifest, "this");
        prover.begin_shard("a.shard", "this");
        for (int i = 0; i < 12; ++i) {
            Record record = answer(i, {1, static_cast<std::uint64_t>(i)});
            if (i == 3) record.id = "@three";
            if (i == 7) record.detail = Json::object();
            if (i == 11) record = {0, "11", 0, {1, 11}, nullptr, Json::object(), "out of \"memory\",\nat byte 5"};
            prover.add(record);
        }
        proof = std::move(prover).finish();
        scores = score(manifest, proof);
    }
};

void expect_golden(const std::string& name, const std::string& bytes) {
    std::string path = std::string(EVALJOB_SOURCE_DIR) + "/tests/golden/merge/" + name;
    if (const char* update = std::getenv("EVALJOB_UPDATE_GOLDEN"); update && std::string(update) == "1") {
        ASSERT_TRUE(write_file_durably(path, bytes));
    }
    auto golden = read_file(path, 1 << 20);
    ASSERT_TRUE(golden) << golden.error().message << "; EVALJOB_UPDATE_GOLDEN=1 writes it";
    EXPECT_EQ(bytes, *golden);
}

std::string all_lines(const SmallJob& job, void (ResultLines::*append)(std::string&, std::uint64_t) const) {
    ResultLines lines(job.manifest, job.proof);
    std::string out;
    for (std::uint64_t item = 0; item < job.proof.items; ++item) (lines.*append)(out, item);
    return out;
}

TEST(GoldenOutput, ResultsJsonl) { expect_golden("results.jsonl", all_lines(SmallJob(), &ResultLines::append_json)); }

TEST(GoldenOutput, ResultsCsv) {
    SmallJob job;
    ResultLines lines(job.manifest, job.proof);
    expect_golden("results.csv", lines.csv_header() + all_lines(job, &ResultLines::append_csv));
}

TEST(GoldenOutput, MetricsJson) {
    SmallJob job;
    expect_golden("metrics.json", metrics_json({job.manifest, "identity", job.proof, job.scores}));
}

TEST(GoldenOutput, ConfusionCsv) {
    SmallJob job;
    expect_golden("confusion.csv", confusion_csv(job.manifest, job.scores));
}

TEST(GoldenOutput, ProofJson) {
    ShardTrace trace{"runs/r/a.shard", {"identity", "r", 3, 1, 1, 2, "cpu", "libtorch 2.11.0", 1, 0}, 12, {}};
    expect_golden("proof.json", proof_json({"identity", SmallJob().proof, {trace}, {}}));
}

TEST(ResultLines, EveryLineIsAJsonObjectThatGivesTheTextsBack) {
    SmallJob job;
    ResultLines lines(job.manifest, job.proof);
    for (std::uint64_t item = 0; item < 12; ++item) {
        std::string line;
        lines.append_json(line, item);
        ASSERT_EQ(line.find('\n'), line.size() - 1);
        Json object = Json::parse(line);
        EXPECT_EQ(object.at("id"), job.manifest.samples[item].id);
        EXPECT_EQ(object.at("group"), job.manifest.samples[item].group);
        EXPECT_EQ(object.at("target"), job.manifest.samples[item].target);
    }
}

TEST(ResultLines, AMissingSampleHasALineThatSaysSoAndNoScore) {
    Manifest manifest = small_manifest();
    Proof proof = Prover(manifest, "this").finish();
    ResultLines lines(manifest, proof);
    std::string line;
    lines.append_json(line, 5);
    EXPECT_EQ(line, R"({"id":"5","dataset":"wardrobe","prediction":null,"target":2,"group":"Bag","missing":true})"
                    "\n");
    std::string row;
    lines.append_csv(row, 5);
    EXPECT_EQ(row, "5,wardrobe,,2,Bag,,,\r\n");
}

TEST(ResultLines, NameTheRepeatOnlyWhereThereAreSeveral) {
    Manifest manifest = small_manifest();
    manifest.repeats = 2;
    Proof proof = Prover(manifest, "this").finish();
    ResultLines lines(manifest, proof);
    std::string line;
    lines.append_json(line, 5);
    EXPECT_EQ(Json::parse(line).at("repeat"), 1);
    EXPECT_EQ(Json::parse(line).at("id"), "2");
    EXPECT_NE(lines.csv_header().find("repeat"), std::string::npos);
}

struct CellRow {
    const char* name;
    const char* text;
    const char* cell;
};
void PrintTo(const CellRow& row, std::ostream* out) { *out << row.name; }

class CsvText : public testing::TestWithParam<CellRow> {};

TEST_P(CsvText, IsQuotedAndNeverAFormula) { EXPECT_EQ(csv_text(GetParam().text), GetParam().cell); }

INSTANTIATE_TEST_SUITE_P(
    Rows, CsvText,
    testing::Values(CellRow{"Plain", "Bag", "Bag"}, CellRow{"Empty", "", ""}, CellRow{"Comma", "a,b", "\"a,b\""},
                    CellRow{"Quote", "a\"b", "\"a\"\"b\""}, CellRow{"LineEnd", "a\nb", "\"a\nb\""},
                    CellRow{"Equals", "=1+1", "'=1+1"}, CellRow{"Plus", "+1", "'+1"}, CellRow{"Minus", "-1", "'-1"},
                    CellRow{"At", "@SUM(A1)", "'@SUM(A1)"}, CellRow{"Tab", "\tx", "'\tx"},
                    CellRow{"LineFeed", "\n=1", "\"'\n=1\""}, CellRow{"CarriageReturn", "\r=1", "\"'\r=1\""},
                    CellRow{"SpaceBeforeEquals", " =1+1", "' =1+1"}, CellRow{"SpacesBeforeMinus", "   -1", "'   -1"},
                    CellRow{"OtherSpaceBeforeEquals", "\u00a0\u3000=1", "'\u00a0\u3000=1"},
                    CellRow{"NothingSeenBeforeEquals", "\ufeff\u200b=1", "'\ufeff\u200b=1"},
                    CellRow{"ControlBeforeEquals", "\x01=1", "'\x01=1"}, CellRow{"FullWidthEquals", "＝1+1", "'＝1+1"},
                    CellRow{"FullWidthPlus", "＋1", "'＋1"}, CellRow{"FullWidthMinus", "－1", "'－1"},
                    CellRow{"FullWidthAt", " ＠SUM(A1)", "' ＠SUM(A1)"}, CellRow{"SpaceBeforeAWord", " Bag", " Bag"},
                    CellRow{"EqualsBehindAWord", "a =1", "a =1"}, CellRow{"NoUtf8", "\xff=1", "\xff=1"},
                    CellRow{"FormulaWithComma", "=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\""}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob
