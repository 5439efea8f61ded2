#include "operator/plan/events.hpp"

#include "api/printable.hpp"

namespace evaljob {
namespace {

constexpr std::size_t most_note_bytes = 1024;  // the API's limit

bool begins(const EvalJobStatus& before, const EvalJobStatus& after, const std::string& type) {
    return is_true(after, type) && !is_true(before, type);
}

std::string message_of(const EvalJobStatus& status, const std::string& type) {
    const Condition* condition = find_condition(status, type);
    return condition ? condition->message : std::string();
}

std::string budget(const EvalJob& job, std::int32_t used) {
    return std::to_string(used) + " of " + std::to_string(job.spec.restart_policy.max_restarts) + " restarts";
}

std::string budget(const EvalJob& job, const EvalJobStatus& after, const NodeRestart& restart) {
    return restart.counts ? budget(job, after.restarts) : "outside the limit";
}

void restarts(const EvalJob& job, const EvalJobStatus& after, const Verdict& verdict, std::vector<Event>& events) {
    const auto& restarted = verdict.decision.restarted;
    if (restarted.empty() || verdict.phase != Verdict::Phase::Nodes) return;
    const NodeRestart& first = restarted.front();
    if (verdict.stalled || job.spec.restart_policy.scope == RestartScope::Group) {
        events.push_back(
            {true, "GroupRestarted", first.death + "; all nodes start again (" + budget(job, after, first) + ")"});
        return;
    }
    for (const NodeRestart& restart : restarted)
        events.push_back({true, "NodeRestarted",
                          restart.death + "; node " + std::to_string(restart.node) + " starts attempt " +
                              std::to_string(restart.attempt) + " (" + budget(job, after, restart) + ")"});
}

void resizing(const EvalJobStatus& before, const EvalJobStatus& after, std::vector<Event>& events) {
    if (before.nodes.total == 0 || before.nodes.total == after.nodes.total) return;
    events.push_back({false, "Scaled",
                      "from " + std::to_string(before.nodes.total) + " to " + std::to_string(after.nodes.total) +
                          " nodes; what is finished stays"});
}

}  // namespace

std::vector<Event> events_between(const EvalJob& job, const EvalJobStatus& after, const Verdict& verdict) {
    const EvalJobStatus& before = job.status;
    std::vector<Event> events;
    const std::string& word = before.summary.status;
    const bool nothing_made = word.empty() || word == "Pending" || word == "Suspended";
    if (nothing_made && after.node_attempts.empty() && verdict.phase == Verdict::Phase::Nodes &&
        !verdict.decision.create.empty())
        events.push_back({false, "NodesCreated",
                          "made " + std::to_string(verdict.decision.create.size()) + " Pods for " +
                              std::to_string(job.spec.num_nodes) + " nodes of " +
                              std::to_string(job.spec.num_proc_per_node) + " processes"});
    resizing(before, after, events);
    if (begins(before, after, "Suspended"))
        events.push_back({false, "Suspended", "Pods are ended; finished samples are kept"});
    if (is_true(before, "Suspended") && !is_true(after, "Suspended"))
        events.push_back({false, "Resumed", "nodes are started again"});
    restarts(job, after, verdict, events);
    if (begins(before, after, "Succeeded"))
        events.push_back({false, "Succeeded",
                          (after.summary.score.empty() ? "" : "score " + after.summary.score + ": ") +
                              message_of(after, "Succeeded")});
    if (begins(before, after, "Failed"))
        events.push_back(
            {true, "Failed", find_condition(after, "Failed")->reason + ": " + message_of(after, "Failed")});
    for (Event& event : events) event.note = shortened(printable(event.note), most_note_bytes);
    return events;
}

}  // namespace evaljob
