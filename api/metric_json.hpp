// A metric as JSON, the same in an EvalJob's status and in a merge's termination message.
#pragma once

#include "api/evaljob.hpp"

namespace evaljob {

/// {"dataset", "name", "group", "value", "stderr", "samples"}; an empty group or stderr is left out.
Json metric_to_json(const Metric& metric);

/// Lenient: a member that is absent or of another type stays at its default.
Metric metric_from_json(const Json& object);

}  // namespace evaljob
