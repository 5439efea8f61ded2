#include "operator/plan/deadlines.hpp"

#include <algorithm>

#include "operator/plan/status.hpp"
#include "operator/plan/time.hpp"

namespace evaljob {
namespace {

/// When `since` (RFC 3339) is `seconds` ago; nothing when either is not there.
std::optional<UnixSeconds> due(const std::string& since, const std::optional<std::int32_t>& seconds) {
    if (since.empty() || !seconds) return {};
    return from_rfc3339(since) + *seconds;
}

std::optional<UnixSeconds> deletion_due(const PodView& pod) {
    // Also of an older EvalJob of this name, and of a merge whose Job is gone: nobody else ends their wait.
    const bool ours = pod.owner_kind == (pod.merge ? "Job" : kind);
    if (!ours || !pod.deleting || has_ended(pod) || pod.grace_seconds == 0 || pod.leaving_since == 0) return {};
    return pod.leaving_since + pod.grace_seconds + lost_node_seconds;
}

std::string setting(const char* name, const std::optional<std::int32_t>& seconds) {
    return std::string(name) + " (" + std::to_string(*seconds) + ")";
}

}  // namespace

std::optional<Failure> missed_deadline(const EvalJob& job, const EvalJobStatus& status, UnixSeconds now) {
    const EvalJobSpec& spec = job.spec;
    if (const auto end = due(status.start_time, spec.active_deadline_seconds); end && now >= *end)
        return Failure{"DeadlineExceeded", setting("activeDeadlineSeconds", spec.active_deadline_seconds) +
                                               " has passed since the job first ran"};
    if (const auto end = due(status.starting_since, spec.startup_deadline_seconds); end && now >= *end) {
        const Condition* merged = find_condition(status, "Merged");
        const Condition* waiting = merged ? merged : find_condition(status, "Running");
        const std::string why = waiting && !waiting->message.empty() ? ": " + waiting->message : "";
        return Failure{"StartupDeadlineExceeded", setting("startupDeadlineSeconds", spec.startup_deadline_seconds) +
                                                      " has passed, and the " + (merged ? "merge" : "job") +
                                                      " has not started" + why};
    }
    return {};
}

bool is_stalled(const Observed& observed, const std::vector<NodeState>& states) {
    const auto& deadline = observed.job.spec.progress_deadline_seconds;
    if (!deadline || !observed.progress || states.empty()) return false;
    const NodeState& first = states.front();
    const bool speaks = first.life == NodeLife::Live && is_running(*first.pod);
    return speaks && observed.progress->attempt == first.attempt && observed.progress->idle_seconds >= *deadline;
}

std::vector<const PodView*> overdue_deletions(const Observed& observed, UnixSeconds now) {
    std::vector<const PodView*> overdue;
    for (const PodView& pod : observed.pods)
        if (const auto end = deletion_due(pod); end && now >= *end) overdue.push_back(&pod);
    return overdue;
}

bool has_outlived_its_end(const EvalJob& job, UnixSeconds now) {
    const auto end = due(job.status.completion_time, job.spec.ttl_seconds_after_finished);
    return end && now >= *end;
}

std::optional<std::chrono::seconds> next_deadline(const Observed& observed, const EvalJobStatus& status,
                                                  UnixSeconds now) {
    std::optional<UnixSeconds> next;
    const auto sooner = [&](std::optional<UnixSeconds> time) {
        if (time) next = next ? std::min(*next, *time) : *time;
    };
    const EvalJobSpec& spec = observed.job.spec;
    if (is_terminal(status)) {
        sooner(due(status.completion_time, spec.ttl_seconds_after_finished));
    } else {
        sooner(due(status.start_time, spec.active_deadline_seconds));
        sooner(due(status.starting_since, spec.startup_deadline_seconds));
    }
    for (const PodView& pod : observed.pods)
        if (const auto end = deletion_due(pod)) sooner(*end > now ? *end : now + lost_node_seconds);
    if (!next) return {};
    return std::chrono::seconds{std::max<UnixSeconds>(*next - now, 0)};
}

}  // namespace evaljob
