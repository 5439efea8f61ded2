// Objects of the API → what the plan reads of them, and no more. Lenient: what is missing or of another type is empty.
// Pure.
#pragma once

#include <string>

#include "api/json.hpp"
#include "operator/plan/plan.hpp"

namespace evaljob::kube {

/// "NAMESPACE/NAME" of the job that the label of a child names; empty when it has none.
std::string job_key_of_child(const Json& object);

PodView pod_view(const Json& pod);
ChildView child_view(const Json& object);
MergeJobView merge_job_view(const Json& job);
ClaimView claim_view(const Json& claim);

/// Of an EvalJob that parse_evaljob refuses: enough to say so in its status.
ObjectMeta meta_view(const Json& object);

}  // namespace evaljob::kube
