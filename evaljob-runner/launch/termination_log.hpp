// The termination message: what Kubernetes keeps of a container that has ended, and shows to people.
#pragma once

#include <string>

#include "api/contract.hpp"

namespace evaljob {

/// Writes to EVALJOB_TERMINATION_LOG, else to /dev/termination-log where there is one. At most 4,096 bytes, cut at the
/// front: the end says why. A failure is not worth more than a line in the log.
void write_termination_message(const Environment& environment, const std::string& message);

}  // namespace evaljob
