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
    bool retry_failed = false;          // sets spec.eval.retryFailed
    std::string output;                 // a folder that takes the place of spec.storage.path; empty: none
};

struct JobFile {
    Json object;               // as it would be sent to an API server
    EvalJob job;               // the same, with defaults
    std::string storage_root;  // absolute: the file's folder, or with an output folder of its own, that one's parent
    std::string folder;        // absolute: the file's
};

/// Fails with a message of one line per violation, each led by the file's name.
Result<JobFile> read_job_file(const std::string& path, const JobOverrides& overrides);

}  // namespace evaljob
