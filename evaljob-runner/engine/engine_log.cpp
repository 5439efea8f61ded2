#include "evaljob-runner/engine/engine_log.hpp"

#include <spdlog/spdlog.h>

namespace evaljob {

void log_info(const std::string& text) { spdlog::info("{}", text); }

void log_warning(const std::string& text) { spdlog::warn("{}", text); }

}  // namespace evaljob
