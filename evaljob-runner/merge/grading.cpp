#include "evaljob-runner/merge/grading.hpp"

#include <algorithm>
#include <utility>

#include "api/enum_names.hpp"
#include "api/utf8.hpp"
#include "evaljob-runner/merge/labels.hpp"
#include "evaljob-runner/merge/text_metrics.hpp"

namespace evaljob {

namespace {

const char* name_in_results(TaskMetric metric) {
    switch (metric) {
        case TaskMetric::ExactMatch:
            return "exact_match";
        case TaskMetric::NormalizedExactMatch:
            return "normalized_exact_match";
        case TaskMetric::Accuracy:
            return "accuracy";
        case TaskMetric::NormalizedAccuracy:
            return "normalized_accuracy";
    }
    return "";
}

/// The target of Generation is a text or a list of texts.
std::vector<std::string> texts_of(const Json& target) {
    std::vector<std::string> texts;
    std::string text;
    if (text_from_json(target, text)) return {std::move(text)};
    if (target.is_array())
        for (const Json& item : target)
            if (text_from_json(item, text)) texts.push_back(text);
    return texts;
}

/// MultipleChoice: the letter of the text that is likeliest per byte.
std::string normalized_letter(const Outcome& outcome) {
    const Json detail = Json::parse(outcome.detail, nullptr, false);
    return detail.is_object() && detail.contains("normalized") && detail["normalized"].is_string()
               ? detail["normalized"].get<std::string>()
               : "";
}

}  // namespace

Grading::Grading(const Manifest& manifest, std::uint32_t dataset) {
    for (const std::string& name : task_metrics(manifest, dataset))
        comparisons_.push_back(value_named(name, TaskMetric::ExactMatch));
    for (const TaskMetric metric : comparisons_) names_.emplace_back(name_in_results(metric));
    if (names_.empty()) names_.emplace_back("accuracy");
}

std::vector<bool> Grading::grade(const Json& target, const Outcome& outcome) const {
    std::vector<bool> right(names_.size());
    if (outcome.state != ItemState::Predicted) return right;
    if (is_classification()) {
        right[0] = outcome.prediction == target.dump();
        return right;
    }
    std::string prediction;
    if (!text_from_json(Json::parse(outcome.prediction, nullptr, false), prediction)) return right;
    const std::vector<std::string> targets = texts_of(target);
    for (std::size_t i = 0; i < comparisons_.size(); ++i)
        right[i] = std::any_of(targets.begin(), targets.end(), [&](const std::string& text) {
            if (comparisons_[i] == TaskMetric::NormalizedAccuracy) return normalized_letter(outcome) == text;
            return matches(comparisons_[i], prediction, text);
        });
    return right;
}

std::vector<Grading> gradings_of(const Manifest& manifest) {
    std::uint32_t datasets = 1;
    for (const ManifestSample& sample : manifest.samples) datasets = std::max(datasets, sample.dataset + 1);
    std::vector<Grading> gradings;
    for (std::uint32_t i = 0; i < datasets; ++i) gradings.emplace_back(manifest, i);
    return gradings;
}

}  // namespace evaljob
