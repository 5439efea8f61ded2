// The end of a successful run, for a person: score with interval, per class, the proof, where everything lies. Pure.
#pragma once

#include <string>

#include "api/evaljob.hpp"

namespace evaljob {

/// `metrics` is the published metrics.json; `folder` is where it lies, as the person can open it.
std::string result_summary(const EvalJobStatus& status, const Json& metrics, const std::string& folder);

}  // namespace evaljob
