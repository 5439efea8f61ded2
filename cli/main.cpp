// evaljob: the command line. docs/cli.md has its commands and exit statuses.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <charconv>
#include <cstring>
#include <iostream>

#include "cli/exit_status.hpp"
#include "cli/explain_command.hpp"
#include "cli/run_command.hpp"
#include "evaljob-runner/launch/own_environment.hpp"
#include "evaljob-runner/launch/start_logging.hpp"
#include "local/process_runtime.hpp"

namespace evaljob {
namespace {

int validate_command(const std::string& file) {
    const auto read = read_job_file(file, {});
    if (!read) {
        std::cerr << read.error().message << std::endl;
        return cli_exit::usage;
    }
    std::cout << file << ": valid; " << read->job.spec.num_nodes << " nodes × " << read->job.spec.num_proc_per_node
              << " processes" << std::endl;
    return cli_exit::success;
}

void add_file(CLI::App* command, std::string& file) {
    command->add_option("-f,--file", file, "The EvalJob, as YAML or JSON; - is standard input")->required();
}

void add_overrides(CLI::App* command, JobOverrides& overrides) {
    command->add_option("--nodes", overrides.nodes, "Nodes, instead of spec.numNodes");
    command->add_option("--procs", overrides.procs, "Processes a node, instead of spec.numProcPerNode");
    command->add_option("--output", overrides.output, "Folder for the output, instead of spec.storage.path");
}

int parse_and_run(int argc, char** argv) {
    CLI::App app("EvalJob: one trustworthy score from any number of nodes and GPUs.");
    app.require_subcommand(1);
    app.set_version_flag("--version", EVALJOB_VERSION);
    RunCommand run;
    auto* run_app =
        app.add_subcommand("run", "Evaluate on this machine, without a cluster; the same command again resumes");
    add_file(run_app, run.file);
    add_overrides(run_app, run.overrides);
    run_app->add_flag("--retry-failed", run.overrides.retry_failed,
                      "Try failed samples of an earlier run again, also where merge.maxFailedSamples allows them");
    run_app->add_flag("--json", run.json, "One JSON object a line instead of text");
    std::string file;
    auto* validate = app.add_subcommand("validate", "Check an EvalJob file");
    add_file(validate, file);
    ExplainCommand explain;
    auto* explain_app = app.add_subcommand(
        "explain", "Print the Service, the Pods with their environment and the merge Job that would be made");
    add_file(explain_app, explain.file);
    add_overrides(explain_app, explain.overrides);
    explain_app->add_flag("--env", explain.environment_only, "Only each node's environment, a line a variable");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? cli_exit::success : cli_exit::usage;
    }
    if (run_app->parsed()) return run_command(run, own_environment());
    if (validate->parsed()) return validate_command(file);
    return explain_command(explain);
}

}  // namespace
}  // namespace evaljob

int main(int argc, char** argv) {
    if (argc == 3 && std::strcmp(argv[1], evaljob::local::runtime_subcommand) == 0) {
        int descriptor = -1;
        std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), descriptor);
        return evaljob::local::run_process_runtime(descriptor);
    }
    // The run's own lines are enough for a person, unless they ask for more.
    evaljob::start_logging(evaljob::own_environment(), spdlog::level::warn);
    try {
        return evaljob::parse_and_run(argc, argv);
    } catch (const std::exception& error) {
        spdlog::error("unexpected: {}", error.what());
        return evaljob::cli_exit::failed;
    }
}
