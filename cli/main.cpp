// evaljob: the command line. docs/cli.md has its commands and exit statuses.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iostream>

#include "api/nearest_word.hpp"
#include "api/printable.hpp"
#include "api/printable_lines.hpp"
#include "cli/exit_status.hpp"
#include "cli/explain_command.hpp"
#include "cli/run_command.hpp"
#include "evaljob-runner/launch/own_environment.hpp"
#include "evaljob-runner/launch/start_logging.hpp"
#include "local/process_runtime.hpp"

namespace evaljob {
namespace {

std::string counted(std::int32_t number, const std::string& what, const char* several = "s") {
    return std::to_string(number) + " " + what + (number == 1 ? "" : several);
}

int validate_command(const std::string& file) {
    const auto read = read_job_file(file, {});
    if (!read) {
        std::cerr << printable_lines(read.error().message) << std::endl;
        return cli_exit::usage;
    }
    const EvalJobSpec& spec = read->job.spec;
    std::cout << printable(file) << ": valid; " << counted(spec.num_nodes, "node") << " × "
              << counted(spec.num_proc_per_node, "process", "es") << std::endl;
    return cli_exit::success;
}

void add_file(CLI::App* command, std::string& file) {
    command->add_option("-f,--file,file", file, "The EvalJob, as YAML or JSON; - is standard input")->required();
}

void add_overrides(CLI::App* command, JobOverrides& overrides) {
    command->add_option("--nodes", overrides.nodes, "Nodes, instead of spec.numNodes");
    command->add_option("--procs", overrides.procs, "Processes a node, instead of spec.numProcPerNode");
    command->add_option("--output", overrides.output, "Folder for the output, instead of spec.storage.path");
}

/// What is wrong with a command line that CLI11 refuses, where that can be said more plainly; else empty.
std::string plainly(const CLI::App& app, int argc, char** argv) {
    const bool has_command = argc > 1 && argv[1][0] != '-';
    const CLI::App* command = has_command ? app.get_subcommand(argv[1]) : &app;
    std::vector<std::string> known;
    for (const CLI::Option* option : command->get_options())
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    bool has_file = false;
    for (int i = has_command ? 2 : 1; i < argc; ++i) {
        const std::string word(argv[i], std::strcspn(argv[i], "="));
        has_file = has_file || word == "-f" || word == "--file" || word[0] != '-';
        if (word.starts_with("--") && std::find(known.begin(), known.end(), word) == known.end())
            return unknown_word("option", word, known);
    }
    if (!has_command) return "a command is missing; there are run, validate, explain";
    if (!has_file) return "the EvalJob is missing: evaljob " + command->get_name() + " -f FILE";
    return "";
}

int parse_and_run(int argc, char** argv) {
    // CLI11 would only say that a command is missing.
    if (const auto mistyped = mistyped_command(argc, argv, {"run", "validate", "explain"}); !mistyped.empty()) {
        std::cerr << "evaljob: " << mistyped << std::endl;
        return cli_exit::usage;
    }
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
        const std::string plain = error.get_exit_code() == 0 ? "" : plainly(app, argc, argv);
        if (plain.empty()) return app.exit(error) == 0 ? cli_exit::success : cli_exit::usage;
        std::cerr << "evaljob: " << plain << "\nRun with --help for more information." << std::endl;
        return cli_exit::usage;
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
