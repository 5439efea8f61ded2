#include "operator/plan/rules.hpp"

#include <algorithm>

#include "api/exit_code.hpp"

namespace evaljob {
namespace {

std::string final_reason(int code) {
    switch (code) {
        case exit_code::usage:
            return "UsageError";
        case exit_code::contract:
            return "ContractViolated";
        case exit_code::identity:
            return "IdentityMismatch";
        case exit_code::bad_input:
            return "BadInput";
        case exit_code::proof:
            return "ProofFailed";
        case exit_code::no_space:
            return "VolumeFull";
        default:
            return "FinalExitCode";
    }
}

/// The runner's exit code, where its container has ended.
std::optional<int> code_of(const NodeState& dead) {
    const ContainerView* runner = dead.pod ? runner_of(*dead.pod) : nullptr;
    if (!runner || !runner->terminated) return {};
    return runner->exit_code;
}

bool matches(const RestartRule& rule, const NodeState& dead) {
    if (rule.on_exit_codes) {
        const auto code = code_of(dead);
        const auto& values = rule.on_exit_codes->values;
        return code && (std::ranges::find(values, *code) != values.end()) == rule.on_exit_codes->in;
    }
    if (!dead.pod) return false;
    return std::ranges::any_of(rule.on_pod_conditions, [&](const PodConditionMatch& match) {
        return std::ranges::any_of(dead.pod->conditions, [&](const PodConditionView& condition) {
            return condition.type == match.type && condition.status == match.status;
        });
    });
}

Failure final_failure(const EvalJob& job, const NodeState& dead, std::string reason, const std::string& why) {
    std::string message = death_of(job, dead) + ", " + why;
    const ContainerView* runner = dead.pod ? runner_of(*dead.pod) : nullptr;
    if (runner && !runner->termination_message.empty()) message += ": " + runner->termination_message;
    return {std::move(reason), std::move(message)};
}

DeathVerdict by_rule(const EvalJob& job, const NodeState& dead, std::size_t index) {
    const RestartRule& rule = job.spec.restart_policy.rules[index];
    if (rule.action == RestartAction::Restart) return {};
    if (rule.action == RestartAction::RestartIgnoreLimit) return {false, {}};
    const std::string why = "for which spec.restartPolicy.rules[" + std::to_string(index) + "] says Fail";
    return {true, final_failure(job, dead, "FailedByRule", why)};
}

}  // namespace

DeathVerdict judge_death(const EvalJob& job, const NodeState& dead) {
    const auto& rules = job.spec.restart_policy.rules;
    for (std::size_t i = 0; i < rules.size(); ++i)
        if (matches(rules[i], dead)) return by_rule(job, dead, i);
    // Only our own runner's exit codes mean this; another image's may mean anything.
    const auto code = code_of(dead);
    if (job.spec.eval && code && exit_code::is_final(*code))
        return {true, final_failure(job, dead, final_reason(*code), "which another try cannot mend")};
    return {!dead.pod || !is_disrupted(*dead.pod), {}};
}

}  // namespace evaljob
