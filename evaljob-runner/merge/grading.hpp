// How the answers of one dataset are graded, as its task in the manifest says. Pure. A manifest without a task is
// graded as Classification.
#pragma once

#include <cstdint>
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
    Part    // from 0 to 1
};

class Grading {
public:
    Grading(const Manifest& manifest, std::uint32_t dataset);

    bool is_classification() const { return comparisons_.empty(); }
    /// As results and metrics call them, the score's first: "accuracy"; "exact_match", "f1".
    const std::vector<std::string>& metrics() const { return names_; }
    Scale scale(std::size_t metric) const;
    /// By metric. All are 0 when the sample failed or is missing.
    std::vector<Points> grade(const Json& target, const Outcome& outcome) const;

private:
    std::vector<TaskMetric> comparisons_;
    std::vector<std::string> names_;
};

/// One for each dataset that samples of the manifest name.
std::vector<Grading> gradings_of(const Manifest& manifest);

}  // namespace evaljob
