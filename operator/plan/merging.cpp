#include "operator/plan/merging.hpp"

#include <tuple>

#include "api/exit_code.hpp"
#include "operator/plan/identity.hpp"

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

/// A merge of an older version may not look at what it is told to prove.
std::optional<Failure> other_identity(const Observed& observed, const MergeReport& report) {
    const std::string expected = known_identity(observed);
    if (expected.empty() || report.identity == expected) return {};
    return Failure{"OtherIdentity", "the merge proved another evaluation (identity " + report.identity.substr(0, 12) +
                                        ") than node 0 has run (" + expected.substr(0, 12) +
                                        "): the output folder was replaced, or another EvalJob writes to it. Give "
                                        "this one a storage.path of its own, and make it again"};
}

MergeOutcome proven_or_not(const Observed& observed, const ContainerView& runner) {
    auto report = decode_merge_report(runner.termination_message);
    if (!report)
        return {
            MergeOutcome::Kind::Failed, {}, {"MergeReportUnreadable", "the merge's report: " + report.error().message}};
    if (!report->published)
        return {MergeOutcome::Kind::Failed, *report, {"MergeFailed", "the merge published nothing: " + report->error}};
    if (auto other = other_identity(observed, *report)) return {MergeOutcome::Kind::Failed, *report, std::move(*other)};
    return {MergeOutcome::Kind::Proven, *report, {}};
}

MergeOutcome failed(const ContainerView* runner, const MergeJobView& job) {
    MergeOutcome outcome{MergeOutcome::Kind::Failed, {}, {"MergeFailed", "the merge Job failed: " + job.message}};
    if (!runner) return outcome;
    if (runner->exit_code == exit_code::proof) outcome.failure.reason = "ProofFailed";
    if (runner->exit_code == exit_code::identity) outcome.failure.reason = "OtherIdentity";
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
        if (const ContainerView* runner = last_ended(observed, true)) return proven_or_not(observed, *runner);
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
