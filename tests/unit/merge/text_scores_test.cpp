// The scores of texts against what the Python originals give.
#include "evaljob-runner/merge/text_scores.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "api/json.hpp"
#include "evaljob-runner/merge/text_metrics.hpp"
#include "tests/places.hpp"

namespace evaljob {
namespace {

std::string ten_digits(const Fraction& score) {
    return decimal(static_cast<double>(score.numerator) / static_cast<double>(score.denominator), 10);
}

/// That of the target that it is highest for.
template <class Score>
std::string best(const std::string& prediction, const std::vector<std::string>& targets, Score score) {
    std::string best;
    for (const std::string& target : targets) best = std::max(best, ten_digits(score(prediction, target)));
    return best;
}

TEST(TextScores, AreThoseOfThePythonOriginals) {
    std::ifstream lines(EVALJOB_SOURCE_DIR "/tests/golden/merge/text_scores.jsonl");
    std::map<std::string, int> rows;
    for (std::string line; std::getline(lines, line);) {
        const Json row = Json::parse(line);
        const auto prediction = row["prediction"].get<std::string>();
        const auto targets = row["targets"].get<std::vector<std::string>>();
        Json right = row["scores"];
        const Json ours = row.value("ours", Json::object());  // where we differ on purpose; text_scores.py says why
        for (const auto& [name, score] : ours.items()) {
            EXPECT_NE(right.at(name), score) << line;
            right[name] = score;
            ++rows["on purpose"];
        }
        EXPECT_EQ(best(prediction, targets, token_f1), right["F1"].get<std::string>()) << line;
        EXPECT_EQ(best(prediction, targets, rouge_l), right["ROUGEL"].get<std::string>()) << line;
        for (const auto& [name, score] : right.items()) ++rows[name];
        if (!right.contains("VQAAccuracy")) continue;
        EXPECT_EQ(ten_digits(vqa_accuracy(prediction, targets)), right["VQAAccuracy"].get<std::string>()) << line;
    }
    EXPECT_EQ(rows["on purpose"], 6);
    EXPECT_GT(rows["F1"], 100);
    EXPECT_GT(rows["ROUGEL"], 100);
    EXPECT_GT(rows["VQAAccuracy"], 40);
}

struct FewRow {
    const char* name;
    std::vector<std::string> answers;
    const char* accuracy;  // of "no"
};
void PrintTo(const FewRow& row, std::ostream* out) { *out << row.name; }

class FewAnswers : public testing::TestWithParam<FewRow> {};

TEST_P(FewAnswers, NeedOnlyAsManyAsThereAre) {
    EXPECT_EQ(ten_digits(vqa_accuracy("no", GetParam().answers)), GetParam().accuracy);
}

INSTANTIATE_TEST_SUITE_P(Rows, FewAnswers,
                         testing::Values(FewRow{"None", {}, "0.0000000000"}, FewRow{"OneRight", {"no"}, "1.0000000000"},
                                         FewRow{"OneWrong", {"yes"}, "0.0000000000"},
                                         FewRow{"BothOfTwo", {"no", "no"}, "1.0000000000"},
                                         FewRow{"OneOfTwo", {"no", "yes"}, "0.5000000000"},
                                         FewRow{"AllOfThree", {"no", "no", "no"}, "1.0000000000"},
                                         FewRow{"TwoOfThree", {"no", "No!", "yes"}, "0.6666666667"},
                                         FewRow{"OneOfThree", {"no", "yes", "x"}, "0.3333333333"}),
                         [](const auto& row) { return row.param.name; });

struct EmptiedRow {
    const char* name;
    const char* prediction;
    const char* target;
    bool same;  // after the normalisation
};
void PrintTo(const EmptiedRow& row, std::ostream* out) { *out << row.name; }

class WhatAStepWouldEmpty : public testing::TestWithParam<EmptiedRow> {};

TEST_P(WhatAStepWouldEmpty, KeepsWhatItWasBeforeThatStep) {
    const auto& [name, prediction, target, same] = GetParam();
    const char* expected = same ? "1.0000000000" : "0.0000000000";
    EXPECT_EQ(matches(TaskMetric::NormalizedExactMatch, prediction, target), same);
    EXPECT_EQ(matches(TaskMetric::NormalizedExactMatch, target, prediction), same);
    EXPECT_EQ(ten_digits(token_f1(prediction, target)), expected);
    // People who disagree are compared by normalised texts; two of three need to say it here.
    EXPECT_EQ(ten_digits(vqa_accuracy(prediction, {target, target, "zebra"})), same ? "0.6666666667" : expected);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, WhatAStepWouldEmpty,
    testing::Values(
        EmptiedRow{"NothingIsNotTheLetterA", "", "A", false}, EmptiedRow{"AnArticleIsNotTheLetterA", "the", "A", false},
        EmptiedRow{"DotsAreNotTheLetterA", "...", "A", false},
        EmptiedRow{"AnotherLetterIsNotTheLetterA", "B", "A", false},
        EmptiedRow{"TheSmallLetterIsTheLetterA", "a", "A", true}, EmptiedRow{"TheLetterAWithADot", "A.", "A", true},
        EmptiedRow{"NothingIsNotTheLetterB", "", "B", false}, EmptiedRow{"NothingIsNotAMark", "", "?", false},
        EmptiedRow{"AMarkIsNotAnother", "!", "?", false}, EmptiedRow{"AMarkIsItself", "?", "?", true},
        EmptiedRow{"NothingIsNotAnArticle", "", "the", false}, EmptiedRow{"NothingIsNothing", "", "", true},
        EmptiedRow{"WhiteSpaceIsNothing", " \n", "", true}, EmptiedRow{"WhiteSpaceIsNotTheLetterA", " ", "A", false},
        EmptiedRow{"ArticlesAreThemselves", "The  A", "the a", true},
        EmptiedRow{"AnArticleBesideAWordGoes", "the cat", "cat", true}),
    [](const auto& row) { return row.param.name; });

TEST(TextScores, BytesThatAreNoUtf8AreNoneOfAWordsLetters) {
    EXPECT_EQ(ten_digits(token_f1("\xff", "\xff")), "1.0000000000");
    EXPECT_EQ(ten_digits(token_f1("\xff", "\xfe")), "0.0000000000");
    EXPECT_EQ(ten_digits(rouge_l("caf\xe9 x", "caf x")), "1.0000000000");
    EXPECT_EQ(ten_digits(vqa_accuracy("\xff", {"\xff"})), "1.0000000000");
    EXPECT_EQ(ten_digits(vqa_accuracy("\xff!", {"\xff", "x"})), "0.5000000000");
}

TEST(Fractions, BecomeTheNearestMillionth) {
    EXPECT_EQ(points_of({2, 3}), 666'667);
    EXPECT_EQ(points_of({1, 3}), 333'333);
    EXPECT_EQ(points_of({1, 128}), 7'813);  // 7812.5
    EXPECT_EQ(points_of({5, 5}), full_points);
    EXPECT_EQ(points_of({}), 0);
}

}  // namespace
}  // namespace evaljob
