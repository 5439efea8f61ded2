#include "api/merge_report.hpp"

#include <algorithm>

#include "api/json_read.hpp"
#include "api/json_text.hpp"
#include "api/metric_json.hpp"
#include "api/printable_lines.hpp"

namespace evaljob {
namespace {

constexpr std::size_t most_bytes = 4095;  // Kubernetes cuts a termination message at 4,096
constexpr std::size_t most_ids = 20;
constexpr std::size_t most_error_bytes = 1024;  // at first; less only when nothing else is left to drop
constexpr std::size_t most_digest_bytes = 128;  // twice what a SHA-256 needs: a bound, not a format
constexpr std::size_t least_metric_bytes = 40;  // of a metric's keys, as JSON
constexpr std::size_t most_read_bytes = 65536;

/// The first `most` bytes of a text, cut in front of a character, not inside one.
std::string beginning(const std::string& text, std::size_t most) {
    if (text.size() <= most) return text;
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return text.substr(0, end) + "…";
}

/// kubectl shows it to people as it is. Bytes that are no UTF-8 (they can come from file names) are replaced.
std::string dump(const Json& object) { return json_line(object); }

Json answers_to_json(const AnswerCounts& answers) {
    return {{"empty", answers.empty},
            {"truncated", answers.truncated},
            {"filtered", answers.filtered},
            {"refused", answers.refused}};
}

Json whole_report(const MergeReport& report) {
    Json object{{"published", report.published},
                {"partial", report.partial},
                {"identity", report.identity.substr(0, most_digest_bytes)},
                {"digest", report.digest.substr(0, most_digest_bytes)},
                {"path", report.path},
                {"samples", report.samples},
                {"repeated", report.repeated},
                {"conflicting", report.conflicting},
                {"failed", report.failed},
                {"foreign", report.foreign},
                {"answers", answers_to_json(report.answers)},
                {"metrics", Json::array()},
                {"ids", Json::array()},
                {"error", beginning(report.error, most_error_bytes)}};
    if (report.missing)
        object["missing"] = *report.missing;
    else
        object["completeness"] = "Unknown";
    // No more than could ever fit, so that the loop which drops from the end stays short whatever comes in.
    std::size_t bytes = 0;
    for (const Metric& metric : report.metrics) {
        bytes += metric.dataset.size() + metric.name.size() + metric.group.size() + least_metric_bytes;
        if (bytes > most_bytes) break;
        object["metrics"].push_back(metric_to_json(metric));
    }
    bytes = 0;
    for (std::size_t i = 0; i < std::min(report.ids.size(), most_ids); ++i) {
        bytes += report.ids[i].size();
        if (bytes > most_bytes) break;
        object["ids"].push_back(report.ids[i]);
    }
    return object;
}

/// A merge of an older version says nothing of them.
AnswerCounts answers_of(const Json& object) {
    const auto found = object.find("answers");
    if (found == object.end()) return {};
    return {.empty = number_of(*found, "empty"),
            .truncated = number_of(*found, "truncated"),
            .filtered = number_of(*found, "filtered"),
            .refused = number_of(*found, "refused")};
}

/// Takes the last element away; false when there is none.
bool drop_last(Json& array) {
    if (array.empty()) return false;
    array.erase(array.size() - 1);
    return true;
}

/// Absent only where the report says so: a number that is lost must not pass for one that nobody could know.
std::optional<std::int64_t> missing_of(const Json& object) {
    if (text_of(object, "completeness") == "Unknown") return std::nullopt;
    return number_of(object, "missing");
}

std::vector<Metric> metrics_of(const Json& object) {
    std::vector<Metric> metrics;
    const auto found = object.find("metrics");
    if (found == object.end() || !found->is_array()) return metrics;
    for (const Json& metric : *found) metrics.push_back(metric_from_json(metric));
    return metrics;
}

std::vector<std::string> ids_of(const Json& object) {
    std::vector<std::string> ids;
    const auto found = object.find("ids");
    if (found == object.end() || !found->is_array()) return ids;
    for (const Json& id : *found) {
        if (id.is_string()) ids.push_back(id.get<std::string>());
    }
    return ids;
}

}  // namespace

std::string encode_merge_report(const MergeReport& report) {
    Json object = whole_report(report);
    std::string bytes = dump(object);
    while (bytes.size() > most_bytes && (drop_last(object["ids"]) || drop_last(object["metrics"]))) {
        bytes = dump(object);
    }
    // Escapes can make six bytes of one, so what is left may still be too long.
    for (std::size_t most = most_error_bytes / 2; bytes.size() > most_bytes && most >= 64; most /= 2) {
        object["error"] = beginning(report.error, most);
        bytes = dump(object);
    }
    if (bytes.size() > most_bytes) {
        object["path"] = "";  // a path so long is none that the merge makes; the digest names the folder
        bytes = dump(object);
    }
    return bytes;
}

Result<MergeReport> decode_merge_report(std::string_view bytes) {
    const auto refuse = [](const std::string& why) {
        return fail("InvalidReport", "the merge's termination message is no report: " + why);
    };
    if (bytes.size() > most_read_bytes) return refuse("it is longer than 65536 bytes");
    const Json object = parse_json(bytes);
    if (!object.is_object()) return refuse("it is not a JSON object");
    for (const char* key : {"published", "partial"}) {
        if (!object.contains(key) || !object[key].is_boolean()) return refuse(std::string(key) + " must be a boolean");
    }
    for (const char* key : {"samples", "missing", "repeated", "conflicting", "failed", "foreign"}) {
        if (key == std::string_view("missing") && text_of(object, "completeness") == "Unknown") continue;
        if (!object.contains(key) || !object[key].is_number_integer()) {
            return refuse(std::string(key) + " must be an integer");
        }
    }
    for (const char* key : {"identity", "digest", "path", "error"}) {
        if (!object.contains(key) || !object[key].is_string()) return refuse(std::string(key) + " must be a string");
    }
    if (object.contains("answers") && !object["answers"].is_object()) return refuse("answers must be an object");
    return MergeReport{.published = flag_of(object, "published"),
                       .partial = flag_of(object, "partial"),
                       .identity = text_of(object, "identity"),
                       .digest = text_of(object, "digest"),
                       .path = text_of(object, "path"),
                       .samples = number_of(object, "samples"),
                       .missing = missing_of(object),
                       .repeated = number_of(object, "repeated"),
                       .conflicting = number_of(object, "conflicting"),
                       .failed = number_of(object, "failed"),
                       .foreign = number_of(object, "foreign"),
                       .answers = answers_of(object),
                       .metrics = metrics_of(object),
                       .ids = ids_of(object),
                       .error = text_of(object, "error")};
}

}  // namespace evaljob
