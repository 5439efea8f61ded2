// What a scorer answers, and predictions and targets of any bytes under the metrics of texts.
#include <cmath>
#include <string>

#include "api/utf8.hpp"
#include "evaljob-runner/merge/scorer_protocol.hpp"
#include "evaljob-runner/merge/text_scores.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;

namespace {

void check_answer(std::string_view line) {
    const auto answer = read_scorer_answer(line, {"quality", "tone"});
    if (!answer) return;
    fuzz::require(answer->error.empty() == (answer->points.size() == 2), "there are all scores or an error");
    fuzz::require(is_utf8(answer->error), "the error is text");
    for (const Points points : answer->points)
        fuzz::require(std::abs(points) <= most_points, "a score is within its limits");
}

void check_score(const Fraction& score, const Fraction& other_way, bool same) {
    fuzz::require(score.denominator > 0 && score.numerator <= score.denominator, "a score is from 0 to 1");
    fuzz::require(points_of(score) == points_of(other_way), "F-measures are the same both ways");
    fuzz::require(!same || score.numerator == score.denominator || score.numerator == 0, "a text has all of itself");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = fuzz::text_of(bytes, size);
    check_answer(text);
    const std::size_t middle = text.find('\n');
    const std::string a(text.substr(0, middle));
    const std::string b(middle == std::string_view::npos ? text : text.substr(middle + 1));
    check_score(token_f1(a, b), token_f1(b, a), a == b);
    check_score(rouge_l(a, b), rouge_l(b, a), a == b);
    const Fraction alone = vqa_accuracy(a, {b, b, b, b});
    fuzz::require(alone.numerator <= alone.denominator, "an accuracy is from 0 to 1");
    const Fraction agreed = vqa_accuracy(a, {a, a, a, a, b});
    fuzz::require(agreed.numerator == agreed.denominator, "what four people say is right");
    return 0;
}
