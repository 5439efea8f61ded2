// The intervals of what a program scores: those of zeros and ones are those of a share.
#include <gmock/gmock.h>

#include "evaljob-runner/merge/metrics.hpp"
#include "evaljob-runner/merge/result_lines.hpp"
#include "run_folder.hpp"

namespace evaljob {
namespace {

constexpr Points half = full_points / 2;

/// The scores of one scorer, one a sample; the first two samples are a group.
struct Scored {
    Manifest manifest;
    Proof proof;
    std::vector<DatasetScores> scores;

    explicit Scored(const std::vector<Points>& points, const std::vector<const char*>& metrics = {"ExactMatch"}) {
        const Json task = {{"type", "Generation"}, {"metrics", metrics}};
        manifest.config["datasets"] = Json::array({{{"name", "qa"}, {"task", task}}});
        for (std::size_t i = 0; i < points.size(); ++i)
            manifest.samples.push_back({0, std::to_string(i), "", "right", i < 2 ? "first" : "rest"});
        Prover prover(manifest, "this");
        prover.begin_shard("a.shard", "this");
        for (std::size_t i = 0; i < points.size(); ++i)
            prover.add({0, std::to_string(i), 0, {1, 0}, Json(i < 3 ? "right" : "wrong"), Json::object(), ""});
        proof = std::move(prover).finish();
        scores = score(manifest, proof, 30, {{0, {{"judge"}, 0, points}}});
    }

    const Score& judge() const { return scores.at(0).metrics.at(0).all; }
    Json json() const { return Json::parse(metrics_json({manifest, "identity", proof, scores})).at("metrics").at(0); }
};

TEST(ScorerOfZerosAndOnes, HasTheIntervalAndErrorOfAShare) {
    const Scored scored({full_points, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    const Interval interval = scored.judge().interval().value();
    const Interval expected = wilson({1, 10});
    EXPECT_EQ(interval.low, expected.low);
    EXPECT_EQ(interval.high, expected.high);
    EXPECT_GT(interval.low, 0) << "Student's begins at -0.13";
    EXPECT_EQ(scored.judge().standard_error(), (Proportion{1, 10}.standard_error()));
    EXPECT_EQ(scored.json().at("interval").at("method"), "Wilson");
    EXPECT_EQ(scored.json().at("value"), "0.100000");
    EXPECT_FALSE(scored.json().contains("correct")) << "a scorer's 1 need not be right";
}

TEST(ScorerOfZerosAndOnes, KnowsSomethingOfOneSampleAndOfEqualOnes) {
    EXPECT_EQ(Scored({full_points}).judge().interval()->low, wilson({1, 1}).low);
    EXPECT_EQ(Scored({0, 0, 0}).judge().interval()->high, wilson({0, 3}).high);
}

TEST(ScorerOfOtherNumbers, KeepsStudents) {
    EXPECT_EQ(Scored({full_points, half, 0}).json().at("interval").at("method"), "Student");
    EXPECT_EQ(Scored({full_points, 0, 2 * full_points, -full_points}).json().at("interval").at("method"), "Student")
        << "though the sum of the squares is that of a share";
    const Scored marks({full_points, full_points, 4 * full_points, 5 * full_points});
    EXPECT_FALSE(marks.scores.at(0).metrics.at(0).groups.at(0).has_wilson_interval()) << "1 of 5 is no whole point";
}

TEST(PartsThatAreAllZeroOrOne, HaveTheIntervalOfAShareToo) {
    const Scored scored({0, 0, 0, 0}, {"F1"});
    const Score& f1 = scored.scores.at(0).metrics.at(1).all;
    EXPECT_EQ(f1.name, "f1");
    EXPECT_EQ(f1.interval()->low, wilson({3, 4}).low);
    EXPECT_LE(f1.interval()->high, 1);
}

}  // namespace
}  // namespace evaljob
