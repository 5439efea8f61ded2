// Logs go to standard error, a line each. EVALJOB_LOG sets the level: debug, info, warn, error.
#pragma once

#include <spdlog/cfg/helpers.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "api/contract.hpp"

namespace evaljob {

inline void start_logging(const Environment& environment, spdlog::level::level_enum otherwise = spdlog::level::info) {
    spdlog::set_default_logger(spdlog::stderr_logger_mt("evaljob"));
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    spdlog::set_level(otherwise);
    const auto level = environment.find("EVALJOB_LOG");
    if (level != environment.end()) spdlog::cfg::helpers::load_levels(level->second);
}

}  // namespace evaljob
