// The operator's log, on standard error: text for people, or JSON lines for what collects logs.
#pragma once

#include <string>

#include <spdlog/common.h>

namespace evaljob {

enum class LogFormat { Text, Json };

void start_logging(LogFormat format, spdlog::level::level_enum level);

/// While it lives, what this thread logs is about the EvalJob "NAMESPACE/NAME".
class LogsAbout {
public:
    explicit LogsAbout(const std::string& job);
    ~LogsAbout();
    LogsAbout(const LogsAbout&) = delete;
    LogsAbout& operator=(const LogsAbout&) = delete;
};

}  // namespace evaljob
