// The Job controller's decisions: a batch/v1 Job and its Pods → what to do and what its status becomes. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/json.hpp"
#include "api/result.hpp"

namespace evaljob::local {

/// Holds a Pod until the Job's status has counted it.
inline constexpr const char* job_finalizer = "batch.kubernetes.io/job-tracking";

struct JobPlan {
    Json status;                       // written before anything else
    std::vector<std::string> release;  // names of Pods that are counted: their finalizer goes
    std::vector<std::string> remove;   // names of Pods to delete
    std::optional<Json> create;        // the next Pod

    bool operator==(const JobPlan&) const = default;
};

/// `pods` are those of the Job's namespace that name it as their controller (by uid). One Pod at a time, replaced at
/// once (the real controller waits 10 s and more between failures).
JobPlan plan_job(const Json& job, const std::vector<Json>& pods, const std::string& now);

/// For MemoryApi::admit: refuses Jobs with features that are not there ("not supported yet") or values that are wrong.
Result<Json> admit_job(const Json& job, const Json* old);

}  // namespace evaljob::local
