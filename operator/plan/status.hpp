// Status: conditions, the columns' summary, counts, progress, results. Recomputed from what is observed; of the old
// status only what cannot be observed again is kept (times, attempts seen, the last progress). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operator/plan/merging.hpp"

namespace evaljob {

/// Progress is copied into status at most this often.
inline constexpr UnixSeconds progress_interval_seconds = 10;

/// Where the job stands, as the planner found it.
struct Verdict {
    enum class Phase { Waiting, Suspended, Nodes, Merging, Succeeded, Failed };
    Phase phase = Phase::Waiting;
    std::vector<NodeState> nodes;
    NodeDecision decision;              // of phases Nodes and Suspended
    bool stalled = false;               // of phase Nodes: no sample was finished for too long
    Failure reason;                     // why it waits or has failed
    std::optional<MergeReport> report;  // the merge's, also when it failed
    bool starting = false;              // of phase Waiting: what it waits for belongs to the job's start
    bool unschedulable = false;         // of phase Waiting: it is the scheduler's side that is missing
    std::string held;                   // of phase Nodes: why Pods that are missing are not made
    bool make_claim = false;            // of phase Nodes
    bool dismissing = false;            // of phase Nodes: see dismiss_senders()
    std::string gang;                   // of phase Nodes: status's, after this decision
    std::string run_secret;             // made for this decision; empty: none was
};

EvalJobStatus make_status(const Observed& observed, const Verdict& verdict, UnixSeconds now);

/// Only counts of nodes change, and which attempts have been seen: no condition, no decision. Pods that come up one
/// after the other would cost a write each; such a change waits a moment for more.
bool is_lesser_change(const EvalJobStatus& before, const EvalJobStatus& after);
inline constexpr UnixSeconds lesser_change_seconds = 2;

const Condition* find_condition(const EvalJobStatus& status, const std::string& type);
bool is_true(const EvalJobStatus& status, const std::string& type);

/// Succeeded or Failed is true: nothing is made any more.
bool is_terminal(const EvalJobStatus& status);

/// Sets it, at its old place or the end; the transition time changes only when `condition.status` does.
void set_condition(EvalJobStatus& status, Condition condition, UnixSeconds now);

/// The first `most` bytes of a text, cut at a character's border, with "…" when something was cut.
std::string shortened(const std::string& text, std::size_t most);

}  // namespace evaljob
