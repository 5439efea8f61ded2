#include "cli/result_summary.hpp"

#include <algorithm>

#include "api/answer_words.hpp"
#include "api/decimal.hpp"
#include "api/json.hpp"
#include "api/printable.hpp"
#include "cli/progress_view.hpp"

namespace evaljob {

namespace {

/// Names of datasets, groups and scores are others'.
std::string text_at(const Json& object, const char* key) { return printable(object.value(key, std::string())); }

/// "0.913400" → "0.9134": four digits are what a person reads.
std::string short_value(const std::string& value) { return rounded(value, 4); }

/// Empty where the samples are too few to know one.
std::string interval(const Json& metric) {
    if (!metric.contains("interval")) return "";
    const Json& i = metric["interval"];
    return "   95 % interval " + short_value(text_at(i, "low")) + " to " + short_value(text_at(i, "high"));
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text;
}

std::size_t widest_name(const Json& metrics) {
    std::size_t widest = 12;
    for (const Json& metric : metrics) {
        widest = std::max({widest, text_at(metric, "group").size(), text_at(metric, "dataset").size()});
    }
    return widest;
}

std::string metric_lines(const Json& metrics) {
    const std::size_t width = widest_name(metrics) + 4;
    std::string text;
    for (const Json& metric : metrics) {
        const bool whole = text_at(metric, "group").empty();
        const std::string name = whole ? text_at(metric, "dataset") : "  " + text_at(metric, "group");
        text += "  " + padded(name, width) + text_at(metric, "name") + " " + short_value(text_at(metric, "value")) +
                interval(metric) + "   " + with_commas(metric.value("samples", std::int64_t{0})) + " samples\n";
    }
    return text;
}

std::string missing_words(const Results& results) {
    if (results.missing) return with_commas(*results.missing) + " missing, ";
    return "CompletenessUnknown (nothing says how many there should be; merge.expect would), ";
}

/// Which answers of a table were read as lists: of another reading the score would be another.
std::string target_list_lines(const Json& metrics) {
    std::string text;
    const Json evaluated = metrics.value("evaluated", Json::object());
    for (const Json& dataset : evaluated.value("datasets", Json::array())) {
        const auto lists = dataset.value("targetLists", std::int64_t{0});
        if (lists > 0)
            text += "  targets  " + text_at(dataset, "name") + ": " + with_commas(lists) + " of " +
                    with_commas(dataset.value("samples", std::int64_t{0})) +
                    " answers are lists of quoted texts, of which each is right\n";
    }
    return text;
}

}  // namespace

std::string result_summary(const EvalJobStatus& status, const Json& metrics, const std::string& folder) {
    std::string text = metric_lines(metrics.value("metrics", Json::array()));
    if (status.results) {
        const Results& r = *status.results;
        text +=
            "\n  proof    " + with_commas(r.samples) + " samples, " + missing_words(r) + with_commas(r.failed) +
            " failed, " + with_commas(r.conflicting) + " conflicting; " +
            (r.repeated == 0 ? "none was evaluated twice" : with_commas(r.repeated) + " found twice and counted once") +
            "\n";
    }
    if (status.results)
        if (const std::string words = answer_words(status.results->answers); !words.empty())
            text += "  answers  " + words + "\n";
    text += target_list_lines(metrics);
    text += "  results  " + folder + "\n  report   " + folder + "/report.html\n";
    return text;
}

}  // namespace evaljob
