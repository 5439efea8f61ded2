// Whose the objects are that stand where ours should. A name taken by someone else's object is an error, never an
// adoption; the children of an older job of the same name are waited out, as garbage collection ends them. Pure.
#pragma once

#include <optional>
#include <string>

#include "operator/plan/restarts.hpp"

namespace evaljob {

/// The Service or merge Job is someone else's, or the API server said so of a child that was to be made.
std::optional<Failure> taken_name(const Observed& observed);

/// A Pod of this name is there, and not ours.
std::optional<Failure> taken_pod_name(const Observed& observed, const std::string& name);

/// "Pod demo-0-0": the first child of an older EvalJob of this name that is still there, or what is not ours, stands in
/// our place and is being deleted; empty: none.
std::string awaited_leftover(const Observed& observed);

}  // namespace evaljob
