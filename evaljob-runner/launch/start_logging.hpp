// Logs go to standard error, a line each. EVALJOB_LOG sets the level: debug, info, warn, error.
#pragma once

#include <spdlog/cfg/helpers.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "api/contract.hpp"
#include "api/printable.hpp"

namespace evaljob {

/// A message as people may look at it: ids, class names and errors of others stand in it.
class PrintableMessage : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& line) override {
        const std::string text = printable(std::string_view(message.payload.data(), message.payload.size()));
        line.append(text.data(), text.data() + text.size());
    }
    std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<PrintableMessage>(); }
};

inline void start_logging(const Environment& environment, spdlog::level::level_enum otherwise = spdlog::level::info) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    formatter->add_flag<PrintableMessage>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %*");
    spdlog::set_default_logger(spdlog::stderr_logger_mt("evaljob"));
    spdlog::set_formatter(std::move(formatter));
    spdlog::set_level(otherwise);
    const auto level = environment.find("EVALJOB_LOG");
    if (level != environment.end()) spdlog::cfg::helpers::load_levels(level->second);
}

}  // namespace evaljob
