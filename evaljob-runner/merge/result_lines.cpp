#include "evaljob-runner/merge/result_lines.hpp"

#include <algorithm>

#include "api/canonical_json.hpp"
#include "evaljob-runner/merge/characters.hpp"
#include "evaljob-runner/merge/labels.hpp"

namespace evaljob {

namespace {

constexpr const char* csv_end = "\r\n";         // RFC 4180
constexpr std::size_t most_start_bytes = 1024;  // of a cell, in which its first visible character is looked for

/// White space, what is not seen at all, and control characters.
bool is_passed_over(char32_t c) {
    return is_white_space(c) || c < 0x20 || c == 0x7F || (c >= 0x200B && c <= 0x200F) || c == 0x2060 || c == 0xFEFF;
}

/// A JSON value as a cell: text without its quotes, everything else as it stands.
std::string csv_value(std::string_view json) {
    if (json.empty() || json.front() != '"')
        return json.find_first_of(",\"") == std::string_view::npos ? std::string(json) : csv_text(json);
    Json text = Json::parse(json, nullptr, false);
    return csv_text(text.is_string() ? text.get<std::string>() : std::string(json));
}

Json score_json(const Manifest& manifest, const Score& score) {
    Json object = {{"dataset", dataset_name(manifest, score.dataset)},
                   {"name", score.name},
                   {"group", score.group},
                   {"value", metric_value(score.value())},
                   {"samples", score.samples()}};
    if (const auto error = score.standard_error()) object["stderr"] = metric_value(*error);
    if (const auto interval = score.interval())
        object["interval"] = {{"low", metric_value(interval->low)},
                              {"high", metric_value(interval->high)},
                              {"confidence", decimal(confidence_level, 2)},
                              {"method", score.has_wilson_interval() ? "Wilson" : "Student"}};
    if (!score.mean) object["correct"] = score.share.successes;
    return object;
}

Json answers_json(const Manifest& manifest, const std::vector<DatasetAnswers>& answers) {
    Json list = Json::array();
    for (const DatasetAnswers& of : answers) {
        list.push_back({{"dataset", dataset_name(manifest, of.dataset)},
                        {"empty", of.counts.empty},
                        {"truncated", of.counts.truncated},
                        {"filtered", of.counts.filtered},
                        {"refused", of.counts.refused},
                        {"finishReasons", of.finish_reasons}});
    }
    return list;
}

/// What a spreadsheet would take for a formula: its first character, full-width or not, behind white space that it
/// passes over. A cell that begins with a tab or a line end is one, too: what stands behind it may be read alone.
bool looks_like_formula(std::string_view text) {
    constexpr std::u32string_view starts = U"=+-@＝＋－＠";
    constexpr std::string_view breaks = "\t\r\n";
    if (!text.empty() && breaks.find(text.front()) != std::string_view::npos) return true;
    const Characters characters = characters_of(text.substr(0, most_start_bytes));
    const auto first = std::find_if_not(characters.begin(), characters.end(), is_passed_over);
    // White space without an end is no cell that anybody misses an apostrophe in.
    if (first == characters.end()) return text.size() > most_start_bytes;
    return starts.find(*first) != std::u32string_view::npos;
}

/// As results.jsonl and results.csv have it.
std::string grade_text(Points points, Scale scale) {
    if (scale != Scale::Share) return points_text(points);
    return points == full_points ? "1" : "0";
}

}  // namespace

ResultLines::ResultLines(const Manifest& manifest, const Proof& proof, Kind kind, const ScorerResults& scored)
    : manifest_(manifest), proof_(proof), kind_(kind), gradings_(gradings_of(manifest, scored)) {
    for (std::uint32_t i = 0; i < gradings_.size(); ++i) {
        std::string name = dataset_name(manifest, i);
        append_json_string(dataset_json_.emplace_back(), name);
        dataset_csv_.push_back(csv_text(name));
        for (const std::string& metric : gradings_[i].metrics())
            if (std::find(metrics_.begin(), metrics_.end(), metric) == metrics_.end()) metrics_.push_back(metric);
    }
}

void ResultLines::append_grades(std::string& out, const ManifestSample& sample, const Outcome& outcome,
                                std::uint64_t item) const {
    const Grading& grading = gradings_[sample.dataset];
    const std::vector<Points> points = grading.grade(sample.target, outcome, item);
    for (std::size_t i = 0; i < points.size(); ++i)
        out += ",\"" + grading.metrics()[i] + "\":" + grade_text(points[i], grading.scale(i));
}

void ResultLines::append_json(std::string& out, std::uint64_t item) const {
    const ManifestSample& sample = manifest_.samples[item / manifest_.repeats];
    Outcome outcome = proof_.outcome(item);
    const bool scored = kind_ != Kind::Unscored;
    out += "{\"id\":";
    append_json_string(out, sample.id);
    if (scored) {
        out += ",\"dataset\":";
        out += dataset_json_[sample.dataset];
    }
    if (manifest_.repeats > 1) out += ",\"repeat\":" + std::to_string(item % manifest_.repeats);
    out += ",\"prediction\":";
    out += outcome.state == ItemState::Predicted ? outcome.prediction : "null";
    if (scored) {
        out += ",\"target\":";
        evaljob::append_json(out, sample.target);
        out += ",\"group\":";
        append_json_string(out, sample.group);
        if (std::string value = confidence_of(outcome); !value.empty()) out += ",\"confidence\":" + value;
    }
    const bool has_fields = kind_ != Kind::Runner || !gradings_[sample.dataset].is_classification();
    if (has_fields && outcome.detail.size() > 2) {  // {}
        out += ",\"fields\":";
        out += outcome.detail;
    }
    if (outcome.state == ItemState::Failed) {
        out += ",\"error\":";
        append_json_string(out, outcome.error);
    }
    if (outcome.state == ItemState::Missing)
        out += ",\"missing\":true";
    else if (scored)
        append_grades(out, sample, outcome, item);
    out += "}\n";
}

std::string ResultLines::csv_header() const {
    if (kind_ == Kind::Unscored) return std::string("id,prediction,error") + csv_end;
    std::string repeat = manifest_.repeats > 1 ? "repeat," : "";
    std::string header = "id,dataset," + repeat + "prediction,target,group,confidence,error";
    for (const std::string& metric : metrics_) header += "," + metric;
    return header + csv_end;
}

void ResultLines::append_csv(std::string& out, std::uint64_t item) const {
    const ManifestSample& sample = manifest_.samples[item / manifest_.repeats];
    Outcome outcome = proof_.outcome(item);
    if (kind_ == Kind::Unscored) {
        out += csv_text(sample.id) + "," + csv_value(outcome.prediction) + "," + csv_text(outcome.error) + csv_end;
        return;
    }
    out += csv_text(sample.id) + "," + dataset_csv_[sample.dataset] + ",";
    if (manifest_.repeats > 1) out += std::to_string(item % manifest_.repeats) + ",";
    out += csv_value(outcome.prediction) + "," + csv_value(CanonicalJson(sample.target).text()) + "," +
           csv_text(sample.group) + ",";
    out += confidence_of(outcome) + "," + csv_text(outcome.error);
    const Grading& grading = gradings_[sample.dataset];
    const std::vector<std::string>& graded = grading.metrics();
    const std::vector<Points> points = grading.grade(sample.target, outcome, item);
    for (const std::string& metric : metrics_) {
        out += ',';
        const auto at = std::find(graded.begin(), graded.end(), metric);
        if (at == graded.end() || outcome.state == ItemState::Missing) continue;
        const auto place = static_cast<std::size_t>(at - graded.begin());
        out += grade_text(points[place], grading.scale(place));
    }
    out += csv_end;
}

std::string metrics_json(const MetricsInput& in) {
    Json metrics = Json::array();
    for (const DatasetScores& dataset : in.scores) {
        for (const MetricScores& metric : dataset.metrics) {
            metrics.push_back(score_json(in.manifest, metric.all));
            for (const Score& group : metric.groups) metrics.push_back(score_json(in.manifest, group));
        }
    }
    Json object = {{"identity", in.identity},
                   {"evaluated", in.manifest.config},
                   {"samples", in.proof.items},
                   // Samples that count more than once here. How often one was evaluated is history: proof.json has it.
                   {"repeated", 0},
                   {"conflicting", in.proof.conflicting.count},
                   {"failed", in.proof.failed.count},
                   {"partial", in.partial},
                   {"metrics", std::move(metrics)}};
    if (in.completeness_unknown)
        object["completeness"] = "Unknown";
    else
        object["missing"] = in.proof.missing.count;
    if (!in.answers.empty()) object["answers"] = answers_json(in.manifest, in.answers);
    if (!in.scorers.is_null()) object["scorers"] = in.scorers;
    return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string confusion_csv(const Manifest& manifest, const std::vector<DatasetScores>& scores) {
    std::string out = std::string("dataset,target,prediction,count") + csv_end;
    for (const DatasetScores& dataset : scores) {
        std::vector<std::string> classes = class_names(manifest, dataset.dataset);
        std::string name = csv_text(dataset_name(manifest, dataset.dataset));
        for (std::int64_t target : dataset.confusion.targets)
            for (std::int64_t column : dataset.confusion.columns)
                if (std::uint64_t n = dataset.confusion.at(target, column); n > 0)
                    out += name + "," + csv_text(column_label(classes, target)) + "," +
                           csv_text(column_label(classes, column)) + "," + std::to_string(n) + csv_end;
    }
    return out;
}

std::string csv_text(std::string_view text) {
    std::string cell;
    if (looks_like_formula(text)) cell = "'";  // whatever its quotes; the apostrophe keeps it text
    cell += text;
    if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
    std::string quoted = "\"";
    for (char c : cell) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + '"';
}

std::string column_label(const std::vector<std::string>& classes, std::int64_t column) {
    if (column == column_failed) return "(failed)";
    if (column == column_no_class) return "(no class)";
    return class_label(classes, column);
}

}  // namespace evaljob
