// `evaljob-runner trace`: the timeline of a job's output folder on standard output.
#pragma once

#include <string>

namespace evaljob {

/// The exit status.
int trace_main(const std::string& shared_dir);

}  // namespace evaljob
