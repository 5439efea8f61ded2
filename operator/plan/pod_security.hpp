// What a Pod may do on its machine. Every Pod that is made keeps to Pod Security "restricted", unless its template asks
// for more and the administrator allows that. Pure.
#pragma once

#include <string>
#include <vector>

#include "operator/plan/rules.hpp"

namespace evaljob {

/// What Settings::allowed may hold, each with what it allows.
struct Allowance {
    const char* name;
    const char* text;
};
const std::vector<Allowance>& allowances();

/// What the template uses and may not; one line a field, with the mend.
std::optional<Failure> forbidden_use(const EvalJob& job, const Settings& settings);

/// What "restricted" asks for, where the template does not say otherwise.
void restrict_pod(Json& pod_spec);

}  // namespace evaljob
