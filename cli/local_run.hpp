// One machine without a cluster: the operator's own controller against an API server in memory, with a Job controller
// and a kubelet that starts processes. Thread rule: one io_context, one thread.
#pragma once

#include <functional>
#include <string>

#include "api/contract.hpp"
#include "cli/job_file.hpp"
#include "cli/progress_view.hpp"

namespace evaljob {

struct LocalRunOptions {
    JobFile file;
    Environment environment;                          // evaljob's own
    std::string program_folder;                       // where evaljob-runner lies
    std::function<void(const RunView&)> on_view;      // several times a second while the job runs
    std::function<void(const std::string&)> on_note;  // a warning event of the job: a node restarted, …
};

struct LocalRunEnd {
    bool interrupted = false;
    std::string lost;        // why the run could not go on; empty: it could
    EvalJobStatus status;    // the last one
    std::string shared_dir;  // the job's output
    std::string log_folder;  // a log a Pod
};

/// Runs until the job has succeeded or failed, or a SIGINT or SIGTERM has stopped it cleanly.
/// Fails when it cannot start: the output folder is in use by another `evaljob run`, or cannot be written.
Result<LocalRunEnd> run_locally(LocalRunOptions options);

}  // namespace evaljob
