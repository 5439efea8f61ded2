#include <algorithm>
#include <ctime>

#include "evaljob-runner/merge/report_parts.hpp"
#include "evaljob-runner/merge/statistics.hpp"

namespace evaljob::report {

namespace {

constexpr double svg_width = 1000;

std::string utc(std::int64_t us) {
    std::time_t seconds = us / 1'000'000;
    std::tm parts{};
    if (!gmtime_r(&seconds, &parts)) return "";
    char text[40];
    return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts));
}

View span_view(const LaneSpan& span) {
    // A hair narrower than it is, so that batches that follow each other stay apart; never too narrow to be seen.
    double width = std::max(0.8, svg_width * (span.to - span.from) - 0.7);
    View view;
    view.set("x", decimal(svg_width * span.from, 2));
    view.set("width", decimal(width, 2));
    view.set("repeated", View(span.repeated));
    view.set("title", span.title);
    return view;
}

View lane_view(const Lane& lane) {
    View spans = view_list();
    for (const LaneSpan& span : lane.spans) spans.push_back(span_view(span));
    View view;
    view.set("rank", std::to_string(lane.rank));
    view.set("node", std::to_string(lane.node));
    view.set("busy", percent(lane.busy, 0));
    view.set("summary", "rank " + std::to_string(lane.rank) + " on node " + std::to_string(lane.node) + ": " +
                            counted(lane.samples, "sample", "samples") + " in " +
                            counted(lane.batches, "batch", "batches") + ", busy " + percent(lane.busy, 0) + " %");
    view.set("spans", spans);
    return view;
}

View panel_view(const TimelinePanel& panel, std::size_t number, std::size_t of, std::size_t lane_limit) {
    View lanes = view_list();
    for (std::size_t i = 0; i < std::min(lane_limit, panel.lanes.size()); ++i)
        lanes.push_back(lane_view(panel.lanes[i]));
    std::int64_t length = panel.end_us - panel.begin_us;
    View view;
    view.set("several", View(of > 1));
    view.set("number", std::to_string(number));
    view.set("of", std::to_string(of));
    view.set("begin", utc(panel.begin_us));
    view.set("length", duration(length));
    view.set("middle", duration(length / 2));
    view.set("busy", percent(panel.busy, 0));
    view.set("idle", percent(std::max(0.0, 1 - panel.busy), 0));
    if (panel.over_bound > 0) view.set("over_bound", decimal(panel.over_bound, 2));
    view.set("ranks", counted(panel.lanes.size(), "rank", "ranks"));
    view.set("cut", View(panel.lanes.size() > lane_limit));
    view.set("shown", std::to_string(lane_limit));
    view.set("lanes", lanes);
    return view;
}

}  // namespace

std::string duration(std::int64_t us) {
    double seconds = static_cast<double>(us) / 1e6;
    if (seconds < 1) return decimal(seconds * 1000, 0) + " ms";
    if (seconds < 60) return decimal(seconds, 1) + " s";
    std::int64_t whole = us / 1'000'000;
    if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
    return std::to_string(whole / 3600) + " h " + std::to_string(whole / 60 % 60) + " min";
}

View timeline_view(const Timeline& timeline, std::size_t lane_limit) {
    View panels = view_list();
    for (std::size_t i = 0; i < timeline.panels.size(); ++i)
        panels.push_back(panel_view(timeline.panels[i], i + 1, timeline.panels.size(), lane_limit));
    View view;
    view.set("panels", panels);
    view.set("batches", counted(timeline.batches, "batch", "batches"));
    view.set("has_repeated", View(timeline.repeated_batches > 0));
    view.set("repeated", counted(timeline.repeated_batches, "batch", "batches"));
    return view;
}

}  // namespace evaljob::report
