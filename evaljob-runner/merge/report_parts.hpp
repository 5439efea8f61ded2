// Parts of report.html as values for its template, and how numbers read in it. Internal to the report. Pure.
#pragma once

#include <cstdint>
#include <kainjow/mustache.hpp>
#include <string>
#include <vector>

#include "evaljob-runner/merge/answers.hpp"
#include "evaljob-runner/merge/metrics.hpp"
#include "evaljob-runner/merge/timeline.hpp"

namespace evaljob::report {

using View = kainjow::mustache::data;

inline View view_list() { return View(View::type::list); }

/// "10,000"
std::string grouped(std::uint64_t number);

/// 0.91342 → "91.34" with two digits; the sign stands in the template.
std::string percent(double share, int digits);

/// "1 sample", "10,000 samples"
std::string counted(std::uint64_t number, const std::string& one, const std::string& many);

/// "820 ms", "12.4 s", "3 min 20 s", "2 h 05 min"
std::string duration(std::int64_t us);

/// At most `limit` bytes, cut in front of a character, with an ellipsis.
std::string shortened(const std::string& text, std::size_t limit);

inline constexpr std::size_t max_label = 80;  // bytes

/// A score as it is shown: shares and parts in percent, others as they are.
std::string shown(const Score& score, double value, int digits);

/// Over all samples, with its gauge.
View score_view(const Score& score);

/// The rows of the groups with the plot of their intervals; of too many the lowest.
View groups_view(std::vector<Score> groups);

/// How the answers of each dataset ended; what TSV cells were read as lists of right ones.
View answers_view(const Manifest& manifest, const std::vector<DatasetAnswers>& answers);

/// The panels of the timeline with their lanes; at most `lane_limit` lanes a panel.
View timeline_view(const Timeline& timeline, std::size_t lane_limit = 64);

}  // namespace evaljob::report
