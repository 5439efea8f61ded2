// `evaljob explain`: what the operator would make of an EvalJob.
#pragma once

#include <string>

#include "cli/job_file.hpp"

namespace evaljob {

struct ExplainCommand {
    std::string file;
    JobOverrides overrides;
    bool environment_only = false;
};

int explain_command(const ExplainCommand& command);

}  // namespace evaljob
