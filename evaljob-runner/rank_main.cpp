// evaljob-rank: one rank. The launcher starts it with its contract in the environment; it has no options but --version,
// which shows that libtorch is found.
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstring>
#include <iostream>

#include "api/exit_code.hpp"
#include "evaljob-runner/launch/own_environment.hpp"
#include "evaljob-runner/launch/start_logging.hpp"
#include "evaljob-runner/rank/rank.hpp"

int main(int argc, char** argv) {
    using namespace evaljob;
    if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
        std::cout << EVALJOB_VERSION << std::endl;
        return exit_code::success;
    }
    const Environment environment = own_environment();
    start_logging(environment);
    std::signal(SIGXFSZ, SIG_IGN);  // a file that grows too large is a write that fails, with a name
    try {
        return run_rank(environment);
    } catch (const std::exception& error) {
        spdlog::error("unexpected: {}", error.what());
        return exit_code::internal;
    }
}
