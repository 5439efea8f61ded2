#include "operator/plan/merging.hpp"

#include <tuple>

#include "api/exit_code.hpp"

namespace evaljob {
namespace {

/// The merge Pod whose runner ended last with (or without) success.
const ContainerView* last_ended(const Observed& observed, bool success) {
    const ContainerView* last = nullptr;
    for (const PodView& pod : observed.pods) {
        if (!pod.merge || pod.owner_uid != observed.merge_job->child.uid) continue;
        const ContainerView* runner = runner_of(pod);
        if (!runner || !runner->terminated || (runner->exit_code == 0) != success) continue;
        if (!last || runner->finished_at >= last->finished_at) last = runner;
    }
    return last;
}

MergeOutcome proven_or_not(const ContainerView& runner) {
    auto report = decode_merge_report(runner.termination_message);
    if (!report)
        return {
            MergeOutcome::Kind::Failed, {}, {"MergeReportUnreadable", "the merge's report: " + report.error().message}};
    if (!report->published)
        return {MergeOutcome::Kind::Failed, *report, {"MergeFailed", "the merge published nothing: " + report->error}};
    return {MergeOutcome::Kind::Proven, *report, {}};
}

MergeOutcome failed(const ContainerView* runner, const MergeJobView& job) {
    MergeOutcome outcome{MergeOutcome::Kind::Failed, {}, {"MergeFailed", "the merge Job failed: " + job.message}};
    if (!runner) return outcome;
    if (runner->exit_code == exit_code::proof) outcome.failure.reason = "ProofFailed";
    outcome.failure.message = "the merge exited " + std::to_string(runner->exit_code);
    if (auto report = decode_merge_report(runner->termination_message)) {
        outcome.failure.message += ": " + report->error;  // it names ids where they tell anything
        outcome.report = std::move(*report);
    } else if (!runner->termination_message.empty()) {
        outcome.failure.message += ": " + runner->termination_message;
    }
    return outcome;
}

}  // namespace

bool has_ended(const MergeJobView& job) { return job.complete || job.failed; }

MergeOutcome merge_outcome(const Observed& observed, UnixSeconds now) {
    if (!observed.merge_job) return {};
    const MergeJobView& job = *observed.merge_job;
    if (job.child.deleting) return {MergeOutcome::Kind::Running, {}, {}};  // made again once it has gone
    const bool lagging = now - job.finished_at < merge_pod_lag_seconds;
    if (job.complete) {
        if (const ContainerView* runner = last_ended(observed, true)) return proven_or_not(*runner);
        return {lagging ? MergeOutcome::Kind::Running : MergeOutcome::Kind::Lost, {}, {}};
    }
    if (job.failed) {
        const ContainerView* runner = last_ended(observed, false);
        if (!runner && lagging) return {MergeOutcome::Kind::Running, {}, {}};
        return failed(runner, job);
    }
    return {MergeOutcome::Kind::Running, {}, {}};
}

}  // namespace evaljob
