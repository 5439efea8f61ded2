// What results call a task's metrics: the members of results.jsonl, the columns of results.csv, the names in
// metrics.json. A scorer's scores stand beside them and may not have the same names.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "api/enum_names.hpp"

namespace evaljob {

constexpr std::array<std::pair<TaskMetric, std::string_view>, EnumNames<TaskMetric>::rows.size()> metric_result_names{
    {{TaskMetric::ExactMatch, "exact_match"},
     {TaskMetric::NormalizedExactMatch, "normalized_exact_match"},
     {TaskMetric::VQAAccuracy, "vqa_accuracy"},
     {TaskMetric::F1, "f1"},
     {TaskMetric::ROUGEL, "rouge_l"},
     {TaskMetric::Accuracy, "accuracy"},
     {TaskMetric::NormalizedAccuracy, "normalized_accuracy"}}};

constexpr std::string_view name_in_results(TaskMetric metric) {
    for (const auto& [value, name] : metric_result_names)
        if (value == metric) return name;
    return "";
}

constexpr bool every_metric_has_a_result_name() {
    for (const auto& [metric, name] : EnumNames<TaskMetric>::rows)
        if (name_in_results(metric).empty()) return false;
    return true;
}
static_assert(every_metric_has_a_result_name());

}  // namespace evaljob
