// What the merge Job has come to, read from the Job and its Pods' termination messages. Pure.
#pragma once

#include <optional>

#include "api/merge_report.hpp"
#include "operator/plan/restarts.hpp"

namespace evaljob {

/// The Job's end and its Pods' come over different watches; for this long the Pods may lag behind.
inline constexpr UnixSeconds merge_pod_lag_seconds = 10;

struct MergeOutcome {
    enum class Kind {
        None,     // there is no Job yet
        Running,  // or ended, with its Pod's report still to be seen
        Lost,     // complete, but its Pod and so its report is gone: to be run again
        Proven,
        Failed,
    };
    Kind kind = Kind::None;
    std::optional<MergeReport> report;
    Failure failure;  // of Failed
};

bool has_ended(const MergeJobView& job);

MergeOutcome merge_outcome(const Observed& observed, UnixSeconds now);

}  // namespace evaljob
