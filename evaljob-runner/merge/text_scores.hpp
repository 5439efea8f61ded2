// How much of a right text is in an answer, as the fraction that it is. Pure. docs/results.md says what each score
// overlooks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "evaljob-runner/merge/statistics.hpp"

namespace evaljob {

/// From 0 to 1.
struct Fraction {
    std::uint64_t numerator = 0;
    std::uint64_t denominator = 1;
};

/// The nearest number of millionths; between two, the larger.
Points points_of(const Fraction& fraction);

/// F1 of the words of both after SQuAD's normalisation, however often each stands there. 1 when neither has any.
Fraction token_f1(std::string_view prediction, std::string_view target);

/// ROUGE-L's F-measure of the words of both, runs of a to z and 0 to 9, without stemming. 0 when one has none.
Fraction rouge_l(std::string_view prediction, std::string_view target);

/// VQA's accuracy: of all ways to leave one answer out, the mean of min(1, answers that are the prediction / 3). Where
/// fewer than three are left, all of them are enough; a single answer is compared.
Fraction vqa_accuracy(std::string_view prediction, const std::vector<std::string>& answers);

}  // namespace evaljob
