// evaljob-rank: one rank. The launcher starts it with its contract in the environment.
#include <spdlog/spdlog.h>

#include "api/exit_code.hpp"
#include "evaljob-runner/launch/own_environment.hpp"
#include "evaljob-runner/launch/start_logging.hpp"
#include "evaljob-runner/rank/rank.hpp"

int main() {
    using namespace evaljob;
    const Environment environment = own_environment();
    start_logging(environment);
    try {
        return run_rank(environment);
    } catch (const std::exception& error) {
        spdlog::error("unexpected: {}", error.what());
        return exit_code::internal;
    }
}
