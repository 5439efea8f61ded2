// What a write makes of an object: which of its fields the writer may set, and which the API server keeps. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "api/json.hpp"
#include "local/metav1.hpp"
#include "local/resource_path.hpp"

namespace evaljob::local {

/// A body as an object of this path; 400 or 422 when it is none, names another place, or has unreadable metadata.
Answer<Json> read_object(const ResourcePath& path, Json object);

/// The new object without its identity (uid, resourceVersion): kind filled in, status reset, secrets encoded.
Answer<Json> prepare_create(const ResourcePath& path, Json object, const std::string& generated_suffix);

/// Fails with 409 when `candidate` names a uid or resourceVersion that is not `old`'s.
Answer<void> check_preconditions(const ResourcePath& path, const Json& candidate, const Json& old);

/// `old` as it becomes when `candidate` is written to the path's (sub)resource; the generation rises with the spec.
Answer<Json> prepare_update(const ResourcePath& path, const Json& candidate, const Json& old);

/// The scale subresource (autoscaling/v1) of an EvalJob: spec.replicas is spec.numNodes.
Json scale_of(const Json& evaljob);

/// True once an object that is being deleted waits for nobody: no finalizer, and no grace period that is still running.
bool is_deletable(const Json& object);

}  // namespace evaljob::local
