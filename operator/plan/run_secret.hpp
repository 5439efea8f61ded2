// The run's Secret: the token by which its processes know each other, and what they evaluate. One of a kind, made
// before the first Pod that mounts it. Pure.
//
// Nobody may read it back, so its name says what is in it: whoever has not drawn the token cannot have made it, and
// status keeps the name. A name of another spec (this version says defaults that an older one did not know) is as good
// as none.
#pragma once

#include <string>

#include "operator/plan/plan.hpp"

namespace evaljob {

/// Whether status keeps the name of a Secret that holds what this EvalJob says.
bool has_run_secret(const EvalJob& job);

std::string spec_sha256(const EvalJob& job);

enum class RunFiles { TokenAndSpec, Spec };

/// Adds the volume of the Secret that status names, and mounts it in `container`.
void mount_run_secret(const EvalJob& job, RunFiles files, Json& pod_spec, Json& container);

}  // namespace evaljob
