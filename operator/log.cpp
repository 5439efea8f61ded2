#include "operator/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

#include "api/json.hpp"
#include "api/printable.hpp"
#include "api/printable_lines.hpp"

namespace evaljob {
namespace {

std::string& subject() {
    thread_local std::string job;
    return job;
}

std::string text_of(const spdlog::string_view_t& view) { return {view.data(), view.size()}; }

/// What comes after time and level: the job and the message.
class TextBody : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& line) override {
        std::string text = subject().empty() ? "" : subject() + ": ";
        text += printable(text_of(message.payload));
        line.append(text.data(), text.data() + text.size());
    }
    std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<TextBody>(); }
};

/// The same as members of an object that has begun.
class JsonBody : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& line) override {
        Json members{{"message", text_of(message.payload)}};
        if (!subject().empty()) members["evaljob"] = subject();
        const std::string object = json_line(members);  // never refused for what it says
        line.append(object.data() + 1, object.data() + object.size());
    }
    std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonBody>(); }
};

}  // namespace

void start_logging(LogFormat format, spdlog::level::level_enum level) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    if (format == LogFormat::Text)
        formatter->add_flag<TextBody>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %*");
    else
        formatter->add_flag<JsonBody>('*').set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%*)");
    auto logger = std::make_shared<spdlog::logger>("evaljob", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_formatter(std::move(formatter));
    logger->set_level(level);
    spdlog::set_default_logger(std::move(logger));
}

LogsAbout::LogsAbout(const std::string& job) { subject() = job; }
LogsAbout::~LogsAbout() { subject().clear(); }

}  // namespace evaljob
