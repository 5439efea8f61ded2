// The EvalJob file of a command line: read, with the overrides of its flags, and checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/evaljob.hpp"

namespace evaljob {

struct JobOverrides {
    std::optional<std::int32_t> nodes;  // spec.numNodes
    std::optional<std::int32_t> procs;  // spec.numProcPerNode
};

struct JobFile {
    Json object;         // as it would be sent to an API server
    EvalJob job;         // the same, with defaults
    std::string folder;  // of the file, absolute: what relative paths are relative to
};

/// Fails with a message of one line per violation, each led by the file's name.
Result<JobFile> read_job_file(const std::string& path, const JobOverrides& overrides);

}  // namespace evaljob
