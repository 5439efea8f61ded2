#include "evaljob-runner/merge/grading.hpp"

#include <algorithm>
#include <utility>

#include "api/canonical_json.hpp"
#include "api/enum_names.hpp"
#include "api/result_names.hpp"
#include "api/utf8.hpp"
#include "evaljob-runner/merge/labels.hpp"
#include "evaljob-runner/merge/text_metrics.hpp"
#include "evaljob-runner/merge/text_scores.hpp"

namespace evaljob {

namespace {

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

Points grade_one(TaskMetric metric, const Outcome& outcome, const std::string& prediction, const std::string& target) {
    switch (metric) {
        case TaskMetric::F1:
            return points_of(token_f1(prediction, target));
        case TaskMetric::ROUGEL:
            return points_of(rouge_l(prediction, target));
        case TaskMetric::NormalizedAccuracy:
            return normalized_letter(outcome) == target ? full_points : 0;
        default:
            return matches(metric, prediction, target) ? full_points : 0;
    }
}

/// The best of the targets counts; VQA's answers count together.
Points grade_text(TaskMetric metric, const Outcome& outcome, const std::string& prediction,
                  const std::vector<std::string>& targets) {
    if (metric == TaskMetric::VQAAccuracy) return points_of(vqa_accuracy(prediction, targets));
    Points best = 0;
    for (const std::string& target : targets) {
        best = std::max(best, grade_one(metric, outcome, prediction, target));
        if (best == full_points) break;
    }
    return best;
}

}  // namespace

Grading::Grading(const Manifest& manifest, std::uint32_t dataset, const ScorerResults& scored) {
    if (const auto found = scored.find(dataset); found != scored.end()) {
        scored_ = &found->second;
        names_ = scored_->names;
    }
    for (const std::string& name : task_metrics(manifest, dataset))
        comparisons_.push_back(value_named(name, TaskMetric::ExactMatch));
    for (const TaskMetric metric : comparisons_) names_.emplace_back(name_in_results(metric));
    if (names_.empty()) names_.emplace_back(name_in_results(TaskMetric::Accuracy));
}

Scale Grading::scale(std::size_t metric) const {
    if (metric < scorer_names()) return Scale::Any;
    if (is_classification()) return Scale::Share;
    switch (comparisons_[metric - scorer_names()]) {
        case TaskMetric::VQAAccuracy:
        case TaskMetric::F1:
        case TaskMetric::ROUGEL:
            return Scale::Part;
        default:
            return Scale::Share;
    }
}

std::vector<Points> Grading::grade(const Json& target, const Outcome& outcome, std::uint64_t item) const {
    std::vector<Points> points(names_.size());
    if (outcome.state != ItemState::Predicted) return points;
    if (is_classification()) {
        points[0] = outcome.prediction == CanonicalJson(target).text() ? full_points : 0;
        return points;
    }
    std::string prediction;
    if (!text_from_json(Json::parse(outcome.prediction, nullptr, false), prediction)) return points;
    const std::vector<std::string> targets = texts_of(target);
    const std::size_t scored = scorer_names();
    for (std::size_t i = 0; i < scored; ++i) points[i] = scored_->points.at((item - scored_->first) * scored + i);
    for (std::size_t i = 0; i < comparisons_.size(); ++i)
        points[scored + i] = grade_text(comparisons_[i], outcome, prediction, targets);
    return points;
}

std::vector<Grading> gradings_of(const Manifest& manifest, const ScorerResults& scored) {
    std::uint32_t datasets = 1;
    for (const ManifestSample& sample : manifest.samples) datasets = std::max(datasets, sample.dataset + 1);
    std::vector<Grading> gradings;
    for (std::uint32_t i = 0; i < datasets; ++i) gradings.emplace_back(manifest, i, scored);
    return gradings;
}

}  // namespace evaljob
