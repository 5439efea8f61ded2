// Scores in report.html: how a number is shown, the gauge, and the plot of the groups' intervals.
#include <algorithm>
#include <cmath>

#include "evaljob-runner/merge/report_parts.hpp"

namespace evaljob::report {

namespace {

constexpr std::size_t max_groups = 60;  // rows of the accuracy per class

/// Of the plot of the groups' intervals.
struct Axis {
    double begin = 0;
    double end = 1;
    double step = 0.2;
    bool percent = true;

    double place(double value) const { return (value - begin) / (end - begin); }
};

/// Round steps from the right end, 100 %, as far as the axis goes.
double axis_step(double begin) {
    double length = 1 - begin;
    if (length < 0.15) return 0.02;
    if (length < 0.25) return 0.05;
    return length < 0.55 ? 0.1 : 0.2;
}

/// In percent it begins at the tenth below the lowest interval, so that differences can be seen; else it goes from the
/// lowest to the highest.
Axis axis_of(const std::vector<Score>& scores) {
    Axis axis;
    if (scores.empty()) return axis;
    double lowest = scores.front().value();
    double highest = lowest;
    for (const Score& score : scores) {
        const auto interval = score.interval().value_or(Interval{score.value(), score.value()});
        lowest = std::min(lowest, interval.low);
        highest = std::max(highest, interval.high);
    }
    axis.percent = scores.front().is_in_percent();
    if (axis.percent) {
        axis.begin = std::min(0.9, std::floor(lowest * 10) / 10);
        axis.step = axis_step(axis.begin);
    } else {
        axis.begin = lowest;
        axis.end = highest > lowest ? highest : lowest + 1;
        axis.step = (axis.end - axis.begin) / 4;
    }
    return axis;
}

View axis_view(const Axis& axis) {
    View ticks = view_list();
    int count = static_cast<int>((axis.end - axis.begin) / axis.step + 1e-9);
    for (int i = count; i >= 0; --i) {
        double value = axis.end - axis.step * i;
        View tick;
        tick.set("at", percent(axis.place(value), 2));
        tick.set("label", axis.percent ? percent(value, 0) + " %" : decimal(value, 2));
        ticks.push_back(tick);
    }
    return ticks;
}

View view_of(const Score& score, const Axis& axis) {
    const auto interval = score.interval();
    const Interval range = interval.value_or(Interval{score.value(), score.value()});
    const auto error = score.standard_error();
    View view;
    view.set("label", shortened(score.group, max_label));
    view.set("value", shown(score, score.value(), score.is_in_percent() ? 1 : 2));
    view.set("exact", shown(score, score.value(), 2));
    view.set("unit", std::string(score.is_in_percent() ? " %" : ""));
    view.set("low", interval ? shown(score, range.low, 2) : "–");
    view.set("high", interval ? shown(score, range.high, 2) : "–");
    view.set("stderr", error ? shown(score, *error, 2) : "–");
    view.set("method", std::string(score.has_wilson_interval() ? "Wilson" : "Student’s"));
    view.set("is_share", View(!score.mean));
    view.set("is_percent", View(score.is_in_percent()));
    view.set("correct", grouped(score.share.successes));
    view.set("samples", grouped(score.samples()));
    view.set("at", percent(axis.place(score.value()), 2));
    view.set("left", percent(axis.place(range.low), 2));
    view.set("width", percent(axis.place(range.high) - axis.place(range.low), 2));
    return view;
}

}  // namespace

std::string shown(const Score& score, double value, int digits) {
    const std::string published = metric_value(value);
    return score.is_in_percent() ? percent_of(published, digits) : rounded(published, digits);
}

View score_view(const Score& score) { return view_of(score, Axis{}); }

View groups_view(std::vector<Score> groups) {
    View view;
    view.set("cut", View(groups.size() > max_groups));
    view.set("all", grouped(groups.size()));
    view.set("shown", std::to_string(max_groups));
    if (groups.size() > max_groups) {
        std::stable_sort(groups.begin(), groups.end(),
                         [](const Score& a, const Score& b) { return a.value() < b.value(); });
        groups.resize(max_groups);
    }
    const Axis axis = axis_of(groups);
    View rows = view_list();
    for (const Score& group : groups) rows.push_back(view_of(group, axis));
    view.set("rows", rows);
    view.set("ticks", axis_view(axis));
    view.set("step", percent(axis.step / (axis.end - axis.begin), 4));
    return view;
}

}  // namespace evaljob::report
