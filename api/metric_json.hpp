// A metric as JSON, the same in an EvalJob's status and in a merge's termination message.
#pragma once

#include "api/evaljob.hpp"

namespace evaljob {

/// {"dataset", "name", "group", "value", "stderr", "samples"}; an empty group or stderr is left out.
Json metric_to_json(const Metric& metric);

/// Lenient: a member that is absent or of another type stays at its default.
Metric metric_from_json(const Json& object);

/// object[key] where it is of the member's type, else the member's default. Never throws.
std::string text_of(const Json& object, const char* key);
std::int64_t number_of(const Json& object, const char* key);
bool flag_of(const Json& object, const char* key);

}  // namespace evaljob
