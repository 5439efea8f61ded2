#include "operator/plan/progress.hpp"

#include <algorithm>
#include <cmath>

#include "api/decimal.hpp"
#include "api/printable.hpp"
#include "operator/plan/time.hpp"

namespace evaljob {
namespace {

/// Numbers from a Pod are not trusted: what is no count becomes 0.
Progress as_progress(const ProgressReport& report) {
    const auto sane = [](double value) { return std::isfinite(value) && value > 0 ? std::min(value, 1e15) : 0.0; };
    Progress progress;
    progress.samples_total = std::max<std::int64_t>(report.samples_total, 0);
    progress.samples_done = std::clamp<std::int64_t>(report.samples_done, 0, progress.samples_total);
    progress.samples_per_second = decimal(sane(report.samples_per_second), 1);
    progress.eta_seconds = static_cast<std::int64_t>(std::ceil(sane(report.eta_seconds)));
    progress.slowest_rank = shortened(printable(report.slowest_rank), 64);
    progress.waiting_for = shortened(printable(report.waiting_for), 256);
    progress.last_report_time = rfc3339(report.time);
    return progress;
}

bool is_young(const std::optional<Progress>& old, const ProgressReport& report) {
    return old && report.time - from_rfc3339(old->last_report_time) < progress_interval_seconds;
}

}  // namespace

std::optional<Progress> next_progress(const Observed& observed, const Verdict& verdict) {
    const std::optional<Progress>& old = observed.job.status.progress;
    const std::optional<ProgressReport>& report = observed.progress;
    const bool exact = verdict.phase != Verdict::Phase::Nodes;
    std::optional<Progress> progress = old;
    if (report && (exact || !is_young(old, *report))) progress = as_progress(*report);
    if (progress && verdict.phase != Verdict::Phase::Nodes) progress->waiting_for.clear();
    // Of a total that nobody knows there is no share.
    if (verdict.report && verdict.report->missing && verdict.phase == Verdict::Phase::Succeeded) {
        if (!progress) progress.emplace();
        progress->samples_total = verdict.report->samples;
        progress->samples_done = verdict.report->samples - *verdict.report->missing;
        progress->eta_seconds = 0;
    } else if (progress && verdict.phase == Verdict::Phase::Merging && observed.job.spec.eval) {
        // All runners have exited 0, which they do only behind the done marker.
        progress->samples_done = progress->samples_total;
        progress->eta_seconds = 0;
    }
    return progress;
}

std::optional<ProgressPlace> progress_place(const Observed& observed, const Settings& settings) {
    const EvalJob& job = observed.job;
    if (!job.spec.eval || is_terminal(job.status)) return {};
    for (const NodeState& state : node_states(observed)) {
        if (state.node != 0 || state.life != NodeLife::Live) continue;
        if (!is_running(*state.pod) || state.pod->ip.empty()) return {};
        return ProgressPlace{state.pod->ip, http_port(job, settings)};
    }
    return {};
}

std::string percent(const std::optional<Progress>& progress) {
    if (!progress || progress->samples_total <= 0) return {};
    const double share = static_cast<double>(progress->samples_done) / static_cast<double>(progress->samples_total);
    return std::to_string(static_cast<int>(share * 100)) + "%";
}

std::string score(const std::vector<Metric>& metrics) {
    return metrics.empty() ? "" : rounded(metrics.front().value, 3);
}

}  // namespace evaljob
