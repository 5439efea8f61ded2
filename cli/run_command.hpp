// `evaljob run`.
#pragma once

#include <string>

#include "api/contract.hpp"
#include "cli/job_file.hpp"

namespace evaljob {

struct RunCommand {
    std::string file;
    JobOverrides overrides;
    bool json = false;  // one JSON object a line on standard output, the last one being the end
};

/// Gives the exit status (cli/exit_status.hpp).
int run_command(const RunCommand& command, const Environment& environment);

}  // namespace evaljob
