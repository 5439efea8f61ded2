#include "evaljob-runner/merge/answers.hpp"

#include <string_view>

#include "evaljob-runner/merge/labels.hpp"

namespace evaljob {

namespace {

/// What a record's detail says of its answer's end.
struct End {
    std::string finish_reason;
    std::string failure;
};

End end_of(std::string_view detail) {
    // Parsing the JSON of millions of details would take most of a merge's time.
    if (detail.find("\"finishReason\"") == std::string_view::npos &&
        detail.find("\"failure\"") == std::string_view::npos)
        return {};
    const Json object = Json::parse(detail, nullptr, false);
    const auto text = [&](const char* key) {
        const auto found = object.is_object() ? object.find(key) : object.end();
        return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : "";
    };
    return {text("finishReason"), text("failure")};
}

void count_reason(std::map<std::string, std::uint64_t>& reasons, const std::string& reason) {
    if (reason.empty()) return;
    const bool is_known = reasons.contains(reason);
    const bool fits = reason.size() <= max_finish_reason_bytes && reasons.size() < max_finish_reasons;
    ++reasons[is_known || fits ? reason : other_reason];
}

void count(DatasetAnswers& answers, const Outcome& outcome) {
    const End end = end_of(outcome.detail);
    const bool answered = outcome.state == ItemState::Predicted;
    AnswerCounts& counts = answers.counts;
    counts.empty += answered && outcome.prediction == "\"\"" ? 1 : 0;
    counts.truncated += end.finish_reason == "length" ? 1 : 0;
    counts.filtered += end.finish_reason == "content_filter" || end.failure == "Filtered" ? 1 : 0;
    counts.refused += end.failure == "Refused" ? 1 : 0;
    count_reason(answers.finish_reasons, end.finish_reason);
}

}  // namespace

std::vector<DatasetAnswers> answers_of(const Manifest& manifest, const Proof& proof) {
    std::vector<DatasetAnswers> all;
    std::map<std::uint32_t, std::size_t> places;
    for (std::uint64_t item = 0; item < proof.items; ++item) {
        const std::uint32_t dataset = manifest.samples[item / manifest.repeats].dataset;
        auto place = places.find(dataset);
        if (place == places.end()) {
            const bool has_texts = !task_metrics(manifest, dataset).empty();
            place = places.emplace(dataset, has_texts ? all.size() : SIZE_MAX).first;
            if (has_texts) all.push_back({dataset, {}, {}});
        }
        if (place->second != SIZE_MAX) count(all[place->second], proof.outcome(item));
    }
    return all;
}

AnswerCounts sum_of(const std::vector<DatasetAnswers>& answers) {
    AnswerCounts sum;
    for (const DatasetAnswers& of : answers) {
        sum.empty += of.counts.empty;
        sum.truncated += of.counts.truncated;
        sum.filtered += of.counts.filtered;
        sum.refused += of.counts.refused;
    }
    return sum;
}

}  // namespace evaljob
