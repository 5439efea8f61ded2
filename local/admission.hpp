// What the API server in memory lets in (MemoryApi::admit), in place of the real one's schemas. Pure.
#pragma once

#include "api/json.hpp"
#include "api/result.hpp"

namespace evaljob::local {

/// An EvalJob with its defaults, or parse_evaljob's violations.
Result<Json> admit_evaljob(const Json& object, const Json* old);

/// A Pod whose fields have the types that the real API server would insist on, as far as the kubelet reads them; the
/// Error names the field.
Result<Json> admit_pod(const Json& object, const Json* old);

}  // namespace evaljob::local
