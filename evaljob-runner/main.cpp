// evaljob-runner: what runs in a node's Pod (`launch`) and in the merge Job (`merge`), and `trace` for people. Without
// libtorch, so that it starts at once; the ranks are evaljob-rank.
#include <csignal>

#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <iostream>

#include "api/exit_code.hpp"
#include "api/nearest_word.hpp"
#include "evaljob-runner/launch/launcher.hpp"
#include "evaljob-runner/launch/own_environment.hpp"
#include "evaljob-runner/launch/start_logging.hpp"
#include "evaljob-runner/merge/merge_main.hpp"
#include "evaljob-runner/merge/trace_main.hpp"

int main(int argc, char** argv) {
    using namespace evaljob;
    const Environment environment = own_environment();
    start_logging(environment);
    std::signal(SIGXFSZ, SIG_IGN);  // a file that grows too large is a write that fails, with a name

    if (const auto mistyped = mistyped_command(argc, argv, {"launch", "merge", "trace"}); !mistyped.empty()) {
        std::cerr << "evaljob-runner: " << mistyped << std::endl;
        return exit_code::usage;
    }
    CLI::App app(
        "The runner of EvalJob: one node of an evaluation, or its merge. The operator starts it; see docs/runner.md.");
    app.require_subcommand(1);
    app.set_version_flag("--version", EVALJOB_VERSION);
    LaunchOptions launch_options;
    auto* launch = app.add_subcommand("launch", "Start this node's ranks (and on node 0 the coordinator)");
    launch->add_option("--max-rank-restarts", launch_options.max_rank_restarts, "Restarts of each rank in place")
        ->capture_default_str()
        ->check(CLI::Range(0, 1000));
    launch->add_option("wrapper", launch_options.wrapper,
                       "A command put in front of each rank's, behind --: numactl, a profiler");
    auto* merge = app.add_subcommand("merge", "Prove that every sample is there, compute metrics, publish results");
    std::string traced;
    auto* trace = app.add_subcommand("trace", "Print when which rank computed, as Chrome and Perfetto read it");
    trace->add_option("folder", traced, "The output folder of a job (EVALJOB_SHARED_DIR), of a run that goes on too")
        ->required();
    try {
        app.parse(argc, argv);
        if (launch->parsed()) return launch_node(launch_options, environment);
        if (merge->parsed()) return merge_main(environment);
        if (trace->parsed()) return trace_main(traced);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? exit_code::success : exit_code::usage;
    } catch (const std::exception& error) {
        spdlog::error("unexpected: {}", error.what());
        return exit_code::internal;
    }
    return exit_code::usage;
}
