// Events, each said once: at the step whose status first shows the decision. A step that is repeated because its status
// could not be written finds the old status again, and has said nothing yet. Pure.
#pragma once

#include <vector>

#include "operator/plan/status.hpp"

namespace evaljob {

std::vector<Event> events_between(const EvalJob& job, const EvalJobStatus& after, const Verdict& verdict);

}  // namespace evaljob
