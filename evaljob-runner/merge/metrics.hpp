// The scores of a proven run: each metric over all and per group, the confusion matrix, the worst errors. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/manifest.hpp"
#include "evaljob-runner/merge/grading.hpp"
#include "evaljob-runner/merge/proof.hpp"
#include "evaljob-runner/merge/statistics.hpp"

namespace evaljob {

/// Failed items count as wrong. Missing ones (only in a partial result) count in no score.
struct Score {
    std::uint32_t dataset = 0;
    std::string name;          // "accuracy", "f1", "pass@5"
    std::string group;         // empty: all samples of the dataset
    Proportion share;          // of right answers
    std::optional<Mean> mean;  // of a metric that says how much is right; it has no share then
    /// Of each sample's mean over its repeats: answers to one sample are not independent, so this tells how sure the
    /// score is. Nothing without repeats.
    std::optional<Mean> by_sample;
    bool is_part = false;    // the mean is of scores from 0 to 1
    bool is_chance = false;  // these are chances to be right: pass@k
    bool is_share = false;   // the mean is of zeros and ones, as a scorer may give them: the share has them too

    std::uint64_t samples() const { return mean ? mean->n() : share.n; }
    bool has_wilson_interval() const { return !mean || is_chance || is_share; }  // else Student's
    bool is_in_percent() const { return !mean || is_part; }
    double value() const { return mean ? mean->value() : share.value(); }
    /// Nothing where the samples are too few to know.
    std::optional<double> standard_error() const;
    std::optional<Interval> interval() const;

private:
    double independent_trials() const;
};

/// A column of the confusion matrix that is no class.
inline constexpr std::int64_t column_failed = -1;
inline constexpr std::int64_t column_no_class = -2;  // a prediction that is no class number

struct Confusion {
    std::vector<std::int64_t> targets;  // rows: every named class and every target seen
    std::vector<std::int64_t>
        columns;  // the same and every prediction seen; then column_no_class and column_failed if any
    std::map<std::pair<std::int64_t, std::int64_t>, std::uint64_t> counts;  // (target, column) → items; zeros left out

    std::uint64_t at(std::int64_t target, std::int64_t column) const;
};

struct WrongAnswer {
    std::uint64_t item = 0;
    double confidence = 0;
    Points points = 0;  // by the first metric
};

struct MetricScores {
    Score all;
    std::vector<Score> groups;  // in the order of their classes, or of their names
};

struct DatasetScores {
    std::uint32_t dataset = 0;
    std::vector<MetricScores> metrics;  // at least one; the first is the score
    bool has_confusion = false;         // Classification
    Confusion confusion;
    std::vector<WrongAnswer> worst;  // not failed; the fewest points by the first metric first, then the most confident
};

/// The confidence that came with a prediction as the record has it: a decimal; empty: none.
std::string confidence_of(const Outcome& outcome);

/// One entry for each dataset that has samples, in the manifest's order of datasets.
std::vector<DatasetScores> score(const Manifest& manifest, const Proof& proof, std::size_t worst_limit = 30,
                                 const ScorerResults& scored = {});

}  // namespace evaljob
