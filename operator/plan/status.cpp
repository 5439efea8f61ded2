#include "operator/plan/status.hpp"

#include <algorithm>

#include "api/names.hpp"
#include "api/printable.hpp"
#include "operator/plan/identity.hpp"
#include "operator/plan/progress.hpp"
#include "operator/plan/storage.hpp"
#include "operator/plan/time.hpp"
#include "operator/plan/waits.hpp"

namespace evaljob {
namespace {

using Phase = Verdict::Phase;

constexpr std::size_t most_message_bytes = 8192;

void say(EvalJobStatus& status, const Observed& observed, UnixSeconds now, const char* type, bool holds,
         const std::string& reason, const std::string& message) {
    set_condition(status,
                  {type, holds, reason, shortened(message, most_message_bytes), "", observed.job.meta.generation}, now);
}

bool is_restarted(const Verdict& verdict, const NodeState& state) {
    const auto next = verdict.decision.next_attempts.find(std::to_string(state.node));
    return next != verdict.decision.next_attempts.end() && next->second > state.attempt;
}

NodeCounts count(const Observed& observed, const Verdict& verdict) {
    NodeCounts counts;
    counts.total = observed.job.spec.num_nodes;
    if (verdict.phase == Phase::Merging || verdict.phase == Phase::Succeeded) {
        counts.succeeded = counts.total;  // whatever has become of their Pods since
        return counts;
    }
    for (const NodeState& state : verdict.nodes) {
        if (is_restarted(verdict, state)) continue;
        counts.ready += state.life == NodeLife::Live && state.pod->ready;
        counts.succeeded += state.life == NodeLife::Done;
        counts.failed += state.life == NodeLife::Dead || state.life == NodeLife::Leaving;
    }
    return counts;
}

bool runs(const NodeState& state) { return state.life == NodeLife::Live && is_running(*state.pod); }

/// Node 0 and as many in all as are needed run, or are done (all of them: Pods that nobody needs are being removed).
bool is_job_running(const Observed& observed, const Verdict& verdict) {
    if (verdict.phase != Phase::Nodes || verdict.nodes.empty()) return false;
    const auto goes_on = [&](const NodeState& state) { return runs(state) && !is_restarted(verdict, state); };
    const auto done = [](const NodeState& state) { return state.life == NodeLife::Done; };
    if (std::ranges::none_of(verdict.nodes, goes_on) && !std::ranges::all_of(verdict.nodes, done)) return false;
    const auto counts = [&](const NodeState& state) { return goes_on(state) || done(state); };
    const EvalJobSpec& spec = observed.job.spec;
    const auto needed = spec.eval ? spec.min_nodes : spec.num_nodes;
    return counts(verdict.nodes.front()) && std::ranges::count_if(verdict.nodes, counts) >= needed;
}

/// All nodes begin again together: none of the old attempt is left that could report anything.
bool is_restart_of_all(const Observed& observed, const Verdict& verdict) {
    const bool group = observed.job.spec.restart_policy.scope == RestartScope::Group;
    return verdict.phase == Phase::Suspended || (!verdict.decision.restarted.empty() && (group || verdict.stalled));
}

std::string hindrance(const Verdict& verdict) { return verdict.held.empty() ? trouble(verdict.nodes) : verdict.held; }

void say_running(EvalJobStatus& status, const Observed& observed, const Verdict& verdict, UnixSeconds now) {
    if (is_job_running(observed, verdict)) {
        say(status, observed, now, "Running", true, "NodesRunning", hindrance(verdict));
        return;
    }
    switch (verdict.phase) {
        case Phase::Waiting:
            say(status, observed, now, "Running", false, verdict.reason.reason, verdict.reason.message);
            return;
        case Phase::Suspended:
            say(status, observed, now, "Running", false, "Suspended", "spec.suspend is true");
            return;
        case Phase::Nodes: {
            std::string message = hindrance(verdict);
            if (!verdict.decision.restarted.empty()) message = verdict.decision.restarted.front().death;
            const Condition* old = find_condition(status, "Running");
            if (message.empty() && old && old->reason == "NodesStarting") message = old->message;
            say(status, observed, now, "Running", false, "NodesStarting", message);
            return;
        }
        case Phase::Merging:
            say(status, observed, now, "Running", false, "NodesSucceeded", "all nodes have succeeded");
            return;
        case Phase::Succeeded:
            say(status, observed, now, "Running", false, "Succeeded", "the results are published");
            return;
        case Phase::Failed:
            say(status, observed, now, "Running", false, "Failed", "see the condition Failed");
            return;
    }
}

void say_scheduled(EvalJobStatus& status, const Observed& observed, const Verdict& verdict, UnixSeconds now) {
    if (verdict.phase == Phase::Waiting && verdict.unschedulable)
        say(status, observed, now, "Scheduled", false, verdict.reason.reason, verdict.reason.message);
    if (verdict.phase != Phase::Nodes) return;
    if (const auto without = unscheduled(verdict.nodes)) {
        say(status, observed, now, "Scheduled", false, without->reason, without->message);
        return;
    }
    if (!all_scheduled(verdict.nodes)) {
        const Condition* old = find_condition(status, "Scheduled");
        if (old && !old->status)
            say(status, observed, now, "Scheduled", false, "NodesPending", "Pods wait for machines");
        return;
    }
    const std::string& since = observed.job.status.starting_since;
    const bool waited = !since.empty() && now >= from_rfc3339(since) + scheduled_after_seconds;
    if (find_condition(status, "Scheduled") || waited || is_job_running(observed, verdict))
        say(status, observed, now, "Scheduled", true, "NodesScheduled", "every node's Pod has a machine");
}

void say_suspended(EvalJobStatus& status, const Observed& observed, const Verdict& verdict, UnixSeconds now) {
    if (verdict.phase == Phase::Suspended)
        say(status, observed, now, "Suspended", true, "Suspended", "spec.suspend is true");
    else if (is_true(status, "Suspended") && verdict.phase != Phase::Waiting)
        say(status, observed, now, "Suspended", false, "Resumed", "");
}

void say_stalled(EvalJobStatus& status, const Observed& observed, const Verdict& verdict, UnixSeconds now) {
    if (verdict.stalled) {
        const std::string& rank = observed.progress->slowest_rank;
        say(status, observed, now, "Stalled", true, "NoProgress",
            "no sample was finished for " + std::to_string(observed.progress->idle_seconds) + " s" +
                (rank.empty() ? "" : "; the slowest rank is " + rank));
    } else if (is_true(status, "Stalled") && (verdict.phase != Phase::Nodes || is_true(status, "Running"))) {
        say(status, observed, now, "Stalled", false, "GoesOn", "");
    }
}

void say_rendezvous(EvalJobStatus& status, const Observed& observed, const Verdict& verdict, UnixSeconds now) {
    if (!observed.job.spec.eval) return;  // nobody reports it
    const Condition* old = find_condition(status, "RendezvousReady");
    if (verdict.phase == Phase::Merging || verdict.phase == Phase::Succeeded) {
        if (!old || !old->status)
            say(status, observed, now, "RendezvousReady", true, "NodesSucceeded", "all nodes have succeeded");
        return;
    }
    if (verdict.phase != Phase::Nodes && verdict.phase != Phase::Suspended) return;
    const bool restarting = is_restart_of_all(observed, verdict);
    if (!restarting && observed.progress && observed.progress->rendezvous_ready)
        say(status, observed, now, "RendezvousReady", true, "AllRanksRegistered", "every rank has registered");
    else if (!old || restarting || observed.progress)  // unreachable is not unready
        say(status, observed, now, "RendezvousReady", false, "WaitingForRanks", "not every rank has registered yet");
}

/// What a published result is worth: reason and message.
Failure worth_of(const MergeReport& report) {
    const std::string samples = std::to_string(report.samples);
    if (report.partial && report.missing)
        return {"Partial", "published without " + std::to_string(*report.missing) + " missing and with " +
                               std::to_string(report.failed) + " failed samples (merge.allowPartial)"};
    if (report.partial)
        return {"Partial",
                "published although the output of some node is missing, damaged or failed "
                "(merge.allowPartial); report.html names it"};
    if (!report.missing)
        return {"CompletenessUnknown", "published " + samples +
                                           " samples; nothing says how many there should be: name the dataset in "
                                           "merge.expect to have them proved and scored"};
    return {"Proven", "every one of " + samples + " samples is counted once"};
}

void say_end(EvalJobStatus& status, const Observed& observed, const Verdict& verdict, UnixSeconds now) {
    switch (verdict.phase) {
        case Phase::Merging: {
            const std::string trouble = merge_trouble(observed);
            say(status, observed, now, "Merged", false, "Merging",
                trouble.empty() ? "all nodes have succeeded; the merge proves their records" : trouble);
            return;
        }
        case Phase::Succeeded: {
            const auto [reason, message] = worth_of(*verdict.report);
            say(status, observed, now, "Merged", true, reason, message);
            say(status, observed, now, "Succeeded", true, reason, message);
            return;
        }
        case Phase::Failed:
            if (find_condition(status, "Merged"))
                say(status, observed, now, "Merged", false, verdict.reason.reason, verdict.reason.message);
            say(status, observed, now, "Failed", true, verdict.reason.reason, verdict.reason.message);
            return;
        default:
            return;
    }
}

std::string word(const EvalJobStatus& status, const Verdict& verdict) {
    switch (verdict.phase) {
        case Phase::Waiting:
            return "Pending";
        case Phase::Suspended:
            return "Suspended";
        case Phase::Merging:
            return "Merging";
        case Phase::Succeeded:
            return "Succeeded";
        case Phase::Failed:
            return "Failed";
        case Phase::Nodes:
            break;
    }
    const bool restarting = std::ranges::any_of(verdict.nodes, [&](const NodeState& state) {
        const bool later_attempt = state.attempt > 0 && state.life != NodeLife::Done && !runs(state);
        return later_attempt || is_restarted(verdict, state) || state.life == NodeLife::Leaving;
    });
    if (restarting) return "Restarting";
    return is_true(status, "Running") ? "Running" : "Starting";
}

void put_results(EvalJobStatus& status, const Observed& observed, const Verdict& verdict) {
    if (!verdict.report) return;
    const MergeReport& report = *verdict.report;
    const Storage& storage = observed.job.spec.storage;
    // Of another evaluation's output in this one's place the message tells.
    if (status.identity.empty()) status.identity = report.identity;
    Results results{claim_of(observed.job), "",
                    report.digest,          report.samples,
                    report.missing,         report.repeated,
                    report.conflicting,     report.failed,
                    report.answers};
    if (!report.path.empty()) results.path = storage.path.empty() ? report.path : storage.path + "/" + report.path;
    status.results = std::move(results);
    if (verdict.phase == Phase::Succeeded) status.metrics = report.metrics;
}

/// The merge is being started from when its Job is made until its first Pod runs or has ended.
bool is_starting(const EvalJobStatus& status, const Observed& observed, const Verdict& verdict) {
    if (verdict.phase == Phase::Nodes) return !is_true(status, "Running");
    if (verdict.phase == Phase::Waiting) return verdict.starting;
    if (verdict.phase != Phase::Merging) return false;
    return std::ranges::none_of(observed.pods, [&](const PodView& pod) {
        const bool own = pod.merge && observed.merge_job && pod.owner_uid == observed.merge_job->child.uid;
        return own && (is_running(pod) || has_ended(pod));
    });
}

void put_times(EvalJobStatus& status, const Observed& observed, const Verdict& verdict, UnixSeconds now) {
    const bool starting = is_starting(status, observed, verdict);
    const bool was_merging = find_condition(observed.job.status, "Merged") != nullptr;
    const bool begins = status.starting_since.empty() || (verdict.phase == Phase::Merging && !was_merging);
    if (!starting)
        status.starting_since.clear();
    else if (begins)
        status.starting_since = rfc3339(now);
    if (verdict.phase == Phase::Suspended) status.start_time.clear();
    const bool ran = is_true(status, "Running") || verdict.phase == Phase::Merging;
    if (ran && status.start_time.empty()) status.start_time = rfc3339(now);
    const bool ended = verdict.phase == Phase::Succeeded || verdict.phase == Phase::Failed;
    if (ended) status.completion_time = rfc3339(now);
}

}  // namespace

EvalJobStatus make_status(const Observed& observed, const Verdict& verdict, UnixSeconds now) {
    EvalJobStatus status = observed.job.status;
    status.observed_generation = observed.job.meta.generation;
    status.node_attempts = seen_attempts(observed);
    status.selector =
        std::string(names::label_job) + "=" + observed.job.meta.name + "," + names::label_role + "=" + names::role_node;
    status.nodes = count(observed, verdict);
    if (verdict.phase == Phase::Nodes || verdict.phase == Phase::Suspended) {
        status.next_attempts = verdict.decision.next_attempts;
        status.restarts = verdict.decision.restarts;
    } else {
        status.next_attempts = decided_attempts(observed);
    }
    if (verdict.phase == Phase::Nodes) status.gang = verdict.gang;
    for (const auto* attempts : {&status.node_attempts, &status.next_attempts})
        for (const auto& [node, attempt] : *attempts) status.attempt = std::max(status.attempt, attempt);
    if (!verdict.run_secret.empty()) status.run_secret = verdict.run_secret;
    if (std::string identity = known_identity(observed); !identity.empty()) status.identity = std::move(identity);
    status.progress = next_progress(observed, verdict);
    say_suspended(status, observed, verdict, now);
    say_rendezvous(status, observed, verdict, now);
    say_scheduled(status, observed, verdict, now);
    say_running(status, observed, verdict, now);
    say_stalled(status, observed, verdict, now);
    say_end(status, observed, verdict, now);
    put_results(status, observed, verdict);
    put_times(status, observed, verdict, now);
    status.summary.status = word(status, verdict);
    status.summary.nodes =
        std::to_string(status.nodes.ready + status.nodes.succeeded) + "/" + std::to_string(status.nodes.total);
    status.summary.progress = percent(status.progress);
    status.summary.score = score(status.metrics);
    return status;
}

bool is_lesser_change(const EvalJobStatus& before, const EvalJobStatus& after) {
    EvalJobStatus rest = after;
    rest.nodes = before.nodes;
    rest.summary.nodes = before.summary.nodes;
    rest.attempt = before.attempt;
    rest.node_attempts = before.node_attempts;
    rest.next_attempts = before.next_attempts;
    rest.starting_since = before.starting_since;
    return rest == before;
}

const Condition* find_condition(const EvalJobStatus& status, const std::string& type) {
    const auto found = std::ranges::find(status.conditions, type, &Condition::type);
    return found == status.conditions.end() ? nullptr : &*found;
}

bool is_true(const EvalJobStatus& status, const std::string& type) {
    const Condition* condition = find_condition(status, type);
    return condition && condition->status;
}

bool is_terminal(const EvalJobStatus& status) { return is_true(status, "Succeeded") || is_true(status, "Failed"); }

void set_condition(EvalJobStatus& status, Condition condition, UnixSeconds now) {
    condition.message = printable(condition.message);  // Pods, servers and datasets have their words in it
    const auto found = std::ranges::find(status.conditions, condition.type, &Condition::type);
    const bool is_new = found == status.conditions.end();
    condition.last_transition_time =
        !is_new && found->status == condition.status ? found->last_transition_time : rfc3339(now);
    if (is_new)
        status.conditions.push_back(std::move(condition));
    else
        *found = std::move(condition);
}

std::string shortened(const std::string& text, std::size_t most) {
    if (text.size() <= most) return text;
    std::size_t end = most - std::min(most, std::string_view("…").size());
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return text.substr(0, end) + "…";
}

}  // namespace evaljob
