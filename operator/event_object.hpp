// An Event of the plan as an object of events.k8s.io/v1. Pure.
#pragma once

#include "api/json.hpp"
#include "operator/plan/plan.hpp"

namespace evaljob {

/// Its name is derived from the job's uid and what is said, so that an event that is repeated finds itself.
Json event_object(const EvalJob& job, const Event& event, UnixSeconds now);

}  // namespace evaljob
