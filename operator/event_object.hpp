// An Event of the plan as an object of events.k8s.io/v1. Pure.
#pragma once

#include "api/json.hpp"
#include "operator/plan/plan.hpp"

namespace evaljob {

/// Its name is made of the time, the job's uid and what is said: one that is sent again finds itself.
Json event_object(const EvalJob& job, const Event& event, UnixSeconds now);

}  // namespace evaljob
