#include "local/job_plan.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <set>

#include "local/metav1.hpp"

namespace evaljob::local {
namespace {

using Pointer = Json::json_pointer;

/// What the podFailurePolicy makes of one failed Pod.
struct Verdict {
    enum { Count, Ignore, FailJob } action = Count;
    std::string message;
};

bool rule_matches(const Json& on_exit_codes, const std::string& container, int code) {
    if (code == 0) return false;  // a success is never matched, as with the real one
    const auto wanted = on_exit_codes.value("containerName", "");
    if (!wanted.empty() && wanted != container) return false;
    const auto& values = on_exit_codes.at("values");
    const bool in = std::find(values.begin(), values.end(), Json(code)) != values.end();
    return in == (on_exit_codes.at("operator") == "In");
}

Verdict judge(const Json& job, const Json& pod) {
    const auto rules = job.value(Pointer("/spec/podFailurePolicy/rules"), Json::array());
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const auto codes = rules[i].find("onExitCodes");
        if (codes == rules[i].end()) continue;  // onPodConditions: no Pod has such conditions here
        for (const auto* list : {"/status/initContainerStatuses", "/status/containerStatuses"}) {
            for (const auto& container : pod.value(Pointer(list), Json::array())) {
                const auto code = container.value(Pointer("/state/terminated/exitCode"), 0);
                const auto name = container.value("name", "");
                if (!rule_matches(*codes, name, code)) continue;
                const auto action = rules[i].value("action", "");
                const auto message = "Container " + name + " for pod " + string_at(pod, "metadata", "namespace") + "/" +
                                     string_at(pod, "metadata", "name") + " failed with exit code " +
                                     std::to_string(code) + " matching " + action + " rule at index " +
                                     std::to_string(i);
                if (action == "FailJob") return {Verdict::FailJob, message};
                return {action == "Ignore" ? Verdict::Ignore : Verdict::Count, message};
            }
        }
    }
    return {};
}

bool has_finalizer(const Json& pod) {
    const auto finalizers = pod.value(Pointer("/metadata/finalizers"), Json::array());
    return std::find(finalizers.begin(), finalizers.end(), Json(job_finalizer)) != finalizers.end();
}

bool is_finished(const Json& status) {
    const auto conditions = status.value("conditions", Json::array());
    return std::any_of(conditions.begin(), conditions.end(), [](const Json& condition) {
        return condition.at("status") == "True" &&
               (condition.at("type") == "Complete" || condition.at("type") == "Failed");
    });
}

/// The number at the end of NAME-00012; -1 when the Pod was not named by us.
std::int64_t attempt_of(const Json& pod) {
    const auto name = string_at(pod, "metadata", "name");
    const auto dash = name.rfind('-');
    std::int64_t attempt = -1;
    if (dash != std::string::npos) std::from_chars(name.data() + dash + 1, name.data() + name.size(), attempt);
    return attempt;
}

Json next_pod(const Json& job, std::int64_t attempt) {
    const auto name = string_at(job, "metadata", "name");
    const auto uid = string_at(job, "metadata", "uid");
    Json pod = job.at("spec").at("template");
    pod["apiVersion"] = "v1";
    pod["kind"] = "Pod";
    char suffix[16];
    std::snprintf(suffix, sizeof suffix, "-%05lld", static_cast<long long>(attempt));
    auto& meta = pod["metadata"];
    meta["name"] = name + suffix;
    meta["namespace"] = string_at(job, "metadata", "namespace");
    for (const auto* prefix : {"", "batch.kubernetes.io/"}) {
        meta["labels"][std::string(prefix) + "job-name"] = name;
        meta["labels"][std::string(prefix) + "controller-uid"] = uid;
    }
    meta["finalizers"] = {job_finalizer};
    meta["ownerReferences"] = {{{"apiVersion", "batch/v1"},
                                {"kind", "Job"},
                                {"name", name},
                                {"uid", uid},
                                {"controller", true},
                                {"blockOwnerDeletion", true}}};
    return pod;
}

void finish(Json& status, const std::string& type, const std::string& reason, const std::string& message,
            const std::string& now) {
    status["conditions"].push_back({{"type", type},
                                    {"status", "True"},
                                    {"reason", reason},
                                    {"message", message},
                                    {"lastProbeTime", now},
                                    {"lastTransitionTime", now}});
    if (type == "Complete") status["completionTime"] = now;
}

struct Tally {
    int active = 0;
    int terminating = 0;
    int ready = 0;
    std::int64_t highest_attempt = -1;
    std::string fail_job;  // message of the rule that ends the Job
};

/// Counts each ended Pod once into `status`, and says which are counted.
Tally count_pods(const Json& job, const std::vector<Json>& pods, JobPlan& plan) {
    Tally tally;
    for (const auto& pod : pods) {
        tally.highest_attempt = std::max(tally.highest_attempt, attempt_of(pod));
        const auto phase = string_at(pod, "status", "phase");
        if (phase != "Succeeded" && phase != "Failed") {
            const bool deleting = pod.at("metadata").contains("deletionTimestamp");
            ++(deleting ? tally.terminating : tally.active);
            for (const auto& condition : pod.value(Pointer("/status/conditions"), Json::array()))
                tally.ready += condition.at("type") == "Ready" && condition.at("status") == "True";
            continue;
        }
        if (!has_finalizer(pod)) continue;
        plan.release.push_back(string_at(pod, "metadata", "name"));
        const auto verdict = phase == "Failed" ? judge(job, pod) : Verdict{};
        if (verdict.action == Verdict::FailJob && tally.fail_job.empty()) tally.fail_job = verdict.message;
        if (verdict.action == Verdict::Ignore) continue;
        const auto* counter = phase == "Failed" ? "failed" : "succeeded";
        plan.status[counter] = plan.status.value(counter, 0) + 1;
    }
    return tally;
}

}  // namespace

JobPlan plan_job(const Json& job, const std::vector<Json>& pods, const std::string& now) {
    JobPlan plan{job.value("status", Json::object()), {}, {}, {}};
    auto& status = plan.status;
    const bool was_finished = is_finished(status);
    const bool deleting = job.at("metadata").contains("deletionTimestamp");
    auto tally = count_pods(job, pods, plan);
    if (!status.contains("startTime")) status["startTime"] = now;
    if (!was_finished && status.value("succeeded", 0) > 0)
        finish(status, "Complete", "CompletionsReached", "Reached expected number of succeeded pods", now);
    else if (!was_finished && !tally.fail_job.empty())
        finish(status, "Failed", "PodFailurePolicy", tally.fail_job, now);
    else if (!was_finished && status.value("failed", 0) > job.at("spec").value("backoffLimit", 6))
        finish(status, "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit", now);
    // With podReplacementPolicy Failed a Pod that is only being deleted still holds its place.
    const auto policy = job.at("spec").contains("podFailurePolicy") ? "Failed" : "TerminatingOrFailed";
    const bool waits = job.at("spec").value("podReplacementPolicy", policy) == "Failed" && tally.terminating > 0;
    if (is_finished(status)) {
        for (const auto& pod : pods) {
            const auto phase = string_at(pod, "status", "phase");
            const bool ended =
                phase == "Succeeded" || phase == "Failed" || pod.at("metadata").contains("deletionTimestamp");
            if (!ended) plan.remove.push_back(string_at(pod, "metadata", "name"));
        }
    } else if (tally.active == 0 && !waits && !deleting) {
        // Also past Pods that were counted and then removed.
        const auto counted = status.value("failed", 0) + status.value("succeeded", 0);
        plan.create = next_pod(job, std::max<std::int64_t>(tally.highest_attempt + 1, counted));
        ++tally.active;
    }
    for (const auto& [name, value] : {std::pair{"active", tally.active}, std::pair{"ready", tally.ready},
                                      std::pair{"terminating", tally.terminating}}) {
        status[name] = value;
    }
    return plan;
}

Result<Json> admit_job(const Json& job, const Json*) {
    const auto spec = job.value("spec", Json::object());
    const auto refuse_field = [](const std::string& field, const std::string& why) {
        return fail("InvalidField", "spec." + field + ": " + why);
    };
    static const std::set<std::string> known{"template",         "backoffLimit", "podReplacementPolicy",
                                             "podFailurePolicy", "completions",  "parallelism"};
    for (const auto& [field, value] : spec.items()) {
        if (!known.contains(field)) return refuse_field(field, "not supported yet by the local Job controller");
    }
    for (const auto* field : {"completions", "parallelism"}) {
        if (spec.value(field, Json(1)) != 1) return refuse_field(field, "not supported yet, must be 1");
    }
    const auto limit = spec.value("backoffLimit", Json(6));
    if (!limit.is_number_integer() || limit.get<std::int64_t>() < 0)
        return refuse_field("backoffLimit", "must be 0 or more, is " + to_text(limit));
    if (!spec.value(Pointer("/template/spec"), Json()).is_object()) return refuse_field("template.spec", "is required");
    if (spec.value(Pointer("/template/spec/restartPolicy"), Json()) != "Never")
        return refuse_field("template.spec.restartPolicy", "not supported yet, must be Never");
    const auto rules = spec.value(Pointer("/podFailurePolicy/rules"), Json::array());
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const auto path = "podFailurePolicy.rules[" + std::to_string(i) + "].";
        const auto action = rules[i].value("action", "");
        if (action != "FailJob" && action != "Ignore" && action != "Count")
            return refuse_field(path + "action", "must be FailJob, Ignore or Count, is '" + action + "'");
        if (!rules[i].contains("onExitCodes")) continue;
        const auto codes = rules[i].at("onExitCodes");
        const auto op = codes.value("operator", "");
        if (op != "In" && op != "NotIn")
            return refuse_field(path + "onExitCodes.operator", "must be In or NotIn, is '" + op + "'");
        if (!codes.value("values", Json()).is_array()) return refuse_field(path + "onExitCodes.values", "is required");
    }
    return job;
}

}  // namespace evaljob::local
