#include "evaljob-runner/merge/report.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "api/printable.hpp"
#include "evaljob-runner/merge/embedded.hpp"
#include "evaljob-runner/merge/failure_reasons.hpp"
#include "evaljob-runner/merge/labels.hpp"
#include "evaljob-runner/merge/report_parts.hpp"
#include "evaljob-runner/merge/result_lines.hpp"

namespace evaljob {

namespace report {

std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
    return text;
}

std::string percent(double share, int digits) { return decimal(100 * share, digits); }

std::string counted(std::uint64_t number, const std::string& one, const std::string& many) {
    return grouped(number) + " " + (number == 1 ? one : many);
}

std::string shortened(const std::string& text, std::size_t limit) {
    if (text.size() <= limit) return text;
    std::size_t end = limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return text.substr(0, end) + "…";
}

}  // namespace report

namespace {

using report::counted;
using report::grouped;
using report::max_label;
using report::percent;
using report::shortened;
using report::View;
using report::view_list;

constexpr std::size_t max_classes = 30;  // rows of the confusion matrix; above, only the most frequent confusions
constexpr std::size_t max_pairs = 30;
constexpr std::size_t max_failed = 20;
constexpr std::size_t max_shards = 200;

View strings(const std::vector<std::string>& texts) {
    View list = view_list();
    for (const std::string& text : texts) {
        View entry;
        entry.set("text", shortened(text, 400));
        list.push_back(entry);
    }
    return list;
}

View cell_view(const Confusion& confusion, std::int64_t target, std::int64_t column, std::uint64_t row_total) {
    std::uint64_t n = confusion.at(target, column);
    double share = row_total == 0 ? 0 : static_cast<double>(n) / static_cast<double>(row_total);
    bool right = target == column;
    // The root lifts the few errors of a good model above the ground.
    double heat = right ? share : std::sqrt(share);
    View cell;
    cell.set("count", grouped(n));
    cell.set("zero", View(n == 0));
    cell.set("right", View(right));
    cell.set("strong", View(heat > 0.55));
    cell.set("heat", decimal(n == 0 ? 0 : 0.08 + 0.92 * heat, 3));
    cell.set("share", percent(share, 1));
    return cell;
}

View matrix_view(const Confusion& confusion, const std::vector<std::string>& classes) {
    View columns = view_list();
    for (std::int64_t column : confusion.columns) {
        View head;
        head.set("label", shortened(column_label(classes, column), max_label));
        columns.push_back(head);
    }
    View rows = view_list();
    for (std::int64_t target : confusion.targets) {
        std::uint64_t total = 0;
        for (std::int64_t column : confusion.columns) total += confusion.at(target, column);
        View cells = view_list();
        for (std::int64_t column : confusion.columns) cells.push_back(cell_view(confusion, target, column, total));
        View row;
        row.set("label", shortened(column_label(classes, target), max_label));
        row.set("cells", cells);
        rows.push_back(row);
    }
    View view;
    view.set("columns", columns);
    view.set("rows", rows);
    return view;
}

/// Instead of a matrix too large to read.
View pairs_view(const Confusion& confusion, const std::vector<std::string>& classes) {
    std::vector<std::pair<std::uint64_t, std::pair<std::int64_t, std::int64_t>>> pairs;
    for (const auto& [cell, n] : confusion.counts)
        if (cell.first != cell.second) pairs.emplace_back(n, cell);
    std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    if (pairs.size() > max_pairs) pairs.resize(max_pairs);
    View rows = view_list();
    for (const auto& [n, cell] : pairs) {
        View row;
        row.set("target", shortened(column_label(classes, cell.first), max_label));
        row.set("prediction", shortened(column_label(classes, cell.second), max_label));
        row.set("count", grouped(n));
        rows.push_back(row);
    }
    return rows;
}

std::string answer_label(const std::vector<std::string>& classes, const std::string& json) {
    Json value = Json::parse(json, nullptr, false);
    if (value.is_number_integer()) return shortened(class_label(classes, value.get<std::int64_t>()), max_label);
    return shortened(value.is_string() ? value.get<std::string>() : json, max_label);
}

View worst_view(const ReportInput& in, const DatasetScores& scores, const std::vector<std::string>& classes) {
    View rows = view_list();
    const Score& first = scores.metrics.front().all;
    for (const WrongAnswer& wrong : scores.worst) {
        Outcome outcome = in.proof.outcome(wrong.item);
        const ManifestSample& sample = in.manifest.samples[wrong.item / in.manifest.repeats];
        View row;
        row.set("id", shortened(item_name(in.manifest, wrong.item), max_label));
        row.set("prediction", answer_label(classes, std::string(outcome.prediction)));
        row.set("target", answer_label(classes, sample.target.dump()));
        bool known = !confidence_of(outcome).empty();
        row.set("points",
                report::shown(first, static_cast<double>(wrong.points) / static_cast<double>(full_points), 2));
        row.set("confidence", known ? percent(wrong.confidence, 2) + " %" : std::string("–"));
        rows.push_back(row);
    }
    return rows;
}

/// "exact_match" as a person reads it: "Exact match".
std::string metric_label(std::string name) {
    if (name == "vqa_accuracy") return "VQA accuracy";
    if (name == "rouge_l") return "ROUGE-L";
    std::replace(name.begin(), name.end(), '_', ' ');
    name.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(name.front())));
    return name;
}

View metric_view(const MetricScores& metric, bool by_class) {
    View view;
    view.set("metric", metric_label(metric.all.name));
    view.set("group_kind", std::string(by_class ? "class" : "group"));
    view.set("group_head", std::string(by_class ? "Class" : "Group"));
    view.set("score", report::score_view(metric.all));
    view.set("has_groups", View(!metric.groups.empty()));
    view.set("groups", report::groups_view(metric.groups));
    view.set("count_head", std::string(metric.all.mean ? "Samples" : "Right"));
    return view;
}

View dataset_view(const ReportInput& in, const DatasetScores& scores) {
    std::vector<std::string> classes = class_names(in.manifest, scores.dataset);
    const Score& first = scores.metrics.front().all;
    View view;
    view.set("name", shortened(dataset_name(in.manifest, scores.dataset), max_label));
    View metrics = view_list();
    for (const MetricScores& metric : scores.metrics) metrics.push_back(metric_view(metric, scores.has_confusion));
    view.set("metrics", metrics);
    view.set("has_confusion", View(scores.has_confusion));
    bool small = scores.confusion.targets.size() <= max_classes && scores.confusion.columns.size() <= max_classes + 2;
    view.set("small", View(small));
    if (small) view.set("matrix", matrix_view(scores.confusion, classes));
    if (!small) view.set("pairs", pairs_view(scores.confusion, classes));
    view.set("by_points", View(first.mean.has_value()));
    view.set("first_metric", metric_label(first.name));
    view.set("first_unit", std::string(first.is_in_percent() ? " %" : ""));
    view.set("has_worst", View(!scores.worst.empty()));
    view.set("worst_count", std::to_string(scores.worst.size()));
    view.set("worst", worst_view(in, scores, classes));
    return view;
}

View proof_view(const ReportInput& in) {
    const Proof& p = in.proof;
    View view;
    view.set("unknown", View(in.completeness_unknown));
    view.set("proven", View(!in.completeness_unknown && in.faults.empty()));
    view.set("samples", grouped(p.items));
    view.set("missing", grouped(p.missing.count));
    view.set("has_missing", View(p.missing.count > 0));
    view.set("conflicting", grouped(p.conflicting.count));
    view.set("has_conflicting", View(p.conflicting.count > 0));
    view.set("conflicting_ids", strings(p.conflicting.ids));
    view.set("failed", grouped(p.failed.count));
    view.set("has_failed", View(p.failed.count > 0));
    view.set("foreign", grouped(p.foreign.count));
    view.set("has_foreign", View(p.foreign.count > 0));
    view.set("records", grouped(p.records));
    view.set("has_repeated", View(p.repeated.count > 0));
    view.set("repeated", counted(p.repeated.count, "sample was", "samples were"));
    const std::uint64_t split = split_batches(in.shards);
    view.set("has_split", View(split > 0));
    view.set("split", counted(split, "batch was", "batches were"));
    View failed = view_list();
    for (std::uint64_t item = 0, found = 0;
         item < p.items && found < std::min<std::uint64_t>(max_failed, p.failed.count); ++item) {
        Outcome outcome = p.outcome(item);
        if (outcome.state != ItemState::Failed) continue;
        ++found;
        View row;
        row.set("id", shortened(item_name(in.manifest, item), max_label));
        row.set("error", shortened(std::string(outcome.error), 300));
        failed.push_back(row);
    }
    view.set("failures", failed);
    view.set("reasons", words_of(failure_reasons(in.manifest, p)));
    return view;
}

/// The distinct values of one thing in all headers: "cpu", or "cuda:0 GPU-1, cuda:1 GPU-2".
template <class Get>
std::string distinct(const std::vector<ShardTrace>& shards, Get get) {
    std::set<std::string> values;
    for (const ShardTrace& shard : shards) values.insert(get(shard.header));
    std::string text;
    for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
    return text.empty() ? "unknown" : shortened(text, 600);
}

std::string config_text(const Json& config, const char* section, const char* name) {
    auto found = config.is_object() ? config.find(section) : config.end();
    if (found == config.end() || !found->is_object()) return "";
    auto value = found->find(name);
    return value != found->end() && value->is_string() ? shortened(value->get<std::string>(), 300) : "";
}

View shards_view(const ReportInput& in) {
    View rows = view_list();
    for (std::size_t i = 0; i < std::min(max_shards, in.shards.size()); ++i) {
        const ShardTrace& shard = in.shards[i];
        View row;
        row.set("path", shortened(shard.path, 300));
        row.set("rank", std::to_string(shard.header.rank));
        row.set("node", std::to_string(shard.header.node_rank));
        row.set("attempt", std::to_string(shard.header.attempt));
        row.set("device", shortened(shard.header.device, 120));
        row.set("records", grouped(shard.records));
        rows.push_back(row);
    }
    return rows;
}

View files_view(const ReportInput& in) {
    View rows = view_list();
    for (std::size_t i = 0; i < std::min(max_shards, in.files.size()); ++i) {
        View row;
        row.set("path", shortened(in.files[i].path, 300));
        row.set("records", grouped(in.files[i].records));
        rows.push_back(row);
    }
    return rows;
}

View origin_view(const ReportInput& in) {
    std::set<std::int32_t> ranks;
    std::set<std::int32_t> nodes;
    for (const ShardTrace& shard : in.shards) {
        ranks.insert(shard.header.rank);
        nodes.insert(shard.header.node_rank);
    }
    View view;
    view.set("identity", in.identity);
    view.set("digest", in.digest);
    for (const char* name : {"path", "sha256"})  // an empty text would still make a row
        if (const auto text = config_text(in.manifest.config, "model", name); !text.empty())
            view.set(std::string("model_") + name, text);
    view.set("devices", distinct(in.shards, [](const ShardHeader& h) { return h.device; }));
    view.set("libraries", distinct(in.shards, [](const ShardHeader& h) { return h.library; }));
    view.set("threads", distinct(in.shards, [](const ShardHeader& h) { return std::to_string(h.threads); }));
    view.set("runs", distinct(in.shards, [](const ShardHeader& h) { return h.run_id; }));
    view.set("ranks", counted(ranks.size(), "rank", "ranks"));
    view.set("nodes", counted(nodes.size(), "node", "nodes"));
    view.set("shard_count", counted(in.shards.size(), "shard log", "shard logs"));
    view.set("shards", shards_view(in));
    view.set("has_shards", View(in.files.empty()));
    view.set("file_count", counted(in.files.size(), "file", "files"));
    view.set("files", files_view(in));
    view.set("has_confusion", View(std::any_of(in.scores.begin(), in.scores.end(),
                                               [](const DatasetScores& s) { return s.has_confusion; })));
    view.set("config", in.manifest.config.dump(2, ' ', false, Json::error_handler_t::replace));
    return view;
}

std::string title_of(const ReportInput& in) {
    if (!in.job_name.empty()) return in.job_name;
    std::string title;
    for (const DatasetScores& scores : in.scores)
        title += (title.empty() ? "" : ", ") + dataset_name(in.manifest, scores.dataset);
    return shortened(title, 200);
}

}  // namespace

std::string render_report(const ReportInput& in) {
    View datasets = view_list();
    for (const DatasetScores& scores : in.scores) datasets.push_back(dataset_view(in, scores));
    Timeline timeline = timeline_of(in.shards);
    View page;
    page.set("style", std::string(embedded::report_style));
    page.set("title", title_of(in));
    page.set("partial", View(!in.faults.empty()));
    page.set("faults", strings(in.faults));
    page.set("proof", proof_view(in));
    page.set("datasets", datasets);
    page.set("has_answers", View(!in.answers.empty()));
    page.set("answers", report::answers_view(in.manifest, in.answers));
    page.set("several", View(in.scores.size() > 1));
    page.set("has_timeline", View(!timeline.panels.empty()));
    page.set("timeline", report::timeline_view(timeline));
    page.set("origin", origin_view(in));
    kainjow::mustache::mustache page_template{std::string(embedded::report_template)};
    // Whatever others wrote comes through here: a prediction neither is markup nor turns the line that it stands in.
    page_template.set_custom_escape(
        [](const std::string& text) { return kainjow::mustache::html_escape(printable(text)); });
    return page_template.render(page);
}

}  // namespace evaljob
