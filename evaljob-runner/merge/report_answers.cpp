// How the answers ended, in report.html.
#include "evaljob-runner/merge/labels.hpp"
#include "evaljob-runner/merge/report_parts.hpp"

namespace evaljob::report {

namespace {

std::string reasons_text(const DatasetAnswers& of) {
    std::string text;
    for (const auto& [reason, count] : of.finish_reasons)
        text += (text.empty() ? "" : ", ") + reason + " " + grouped(count);
    return text.empty() ? "–" : text;
}

}  // namespace

View answers_view(const Manifest& manifest, const std::vector<DatasetAnswers>& answers) {
    View rows = view_list();
    for (const DatasetAnswers& of : answers) {
        const auto number = [](std::int64_t count) { return grouped(static_cast<std::uint64_t>(count)); };
        View row;
        row.set("name", shortened(dataset_name(manifest, of.dataset), max_label));
        row.set("empty", number(of.counts.empty));
        row.set("truncated", number(of.counts.truncated));
        row.set("filtered", number(of.counts.filtered));
        row.set("refused", number(of.counts.refused));
        row.set("reasons", reasons_text(of));
        const std::uint64_t lists = target_lists(manifest, of.dataset);
        // An empty text would still make a paragraph.
        if (lists > 0) row.set("lists", counted(lists, "sample", "samples"));
        rows.push_back(row);
    }
    return rows;
}

}  // namespace evaljob::report
