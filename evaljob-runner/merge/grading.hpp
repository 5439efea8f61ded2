// How the answers of one dataset are graded, as its task in the manifest says. Pure. A manifest without a task is
// graded as Classification.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/evaljob.hpp"
#include "api/manifest.hpp"
#include "evaljob-runner/merge/proof.hpp"
#include "evaljob-runner/merge/statistics.hpp"

namespace evaljob {

/// What a metric says of one sample.
enum class Scale {
    Share,  // right or wrong: 1 or 0
    Part,   // from 0 to 1
    Any     // what a program scores
};

/// What a program scored the predictions of one dataset.
struct ScorerPoints {
    std::vector<std::string> names;
    std::uint64_t first = 0;     // item
    std::vector<Points> points;  // of the items from the first on, each by name
};
using ScorerResults = std::map<std::uint32_t, ScorerPoints>;  // by dataset

class Grading {
public:
    /// `scored` must outlive this; what it has stands before the task's metrics.
    Grading(const Manifest& manifest, std::uint32_t dataset, const ScorerResults& scored = {});

    bool is_classification() const { return comparisons_.empty(); }
    /// As results and metrics call them, the score's first: "accuracy"; "exact_match", "f1".
    const std::vector<std::string>& metrics() const { return names_; }
    Scale scale(std::size_t metric) const;
    /// By metric. All are 0 when the sample failed or is missing.
    std::vector<Points> grade(const Json& target, const Outcome& outcome, std::uint64_t item = 0) const;

private:
    std::size_t scorer_names() const { return scored_ == nullptr ? 0 : scored_->names.size(); }

    const ScorerPoints* scored_ = nullptr;
    std::vector<TaskMetric> comparisons_;
    std::vector<std::string> names_;
};

/// One for each dataset that samples of the manifest name.
std::vector<Grading> gradings_of(const Manifest& manifest, const ScorerResults& scored = {});

}  // namespace evaljob
