// A line of the log is one line, whatever a dataset or a server has put into it.
#include <gtest/gtest.h>

#include <sstream>

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include "evaljob-runner/launch/start_logging.hpp"

namespace evaljob::test {
namespace {

TEST(PrintableLog, ShowsWhatWouldActOnATerminal) {
    std::ostringstream out;
    const auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(out);
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    formatter->add_flag<PrintableMessage>('*').set_pattern("%l %*");
    spdlog::logger logger("test", sink);
    logger.set_formatter(std::move(formatter));
    logger.warn("sample {}: {}", "q1\n2026-11-30T00:00:00.000Z info forged", "\x1b[2J\xe2\x80\xae ü");
    EXPECT_EQ(out.str(), "warning sample q1\\n2026-11-30T00:00:00.000Z info forged: \\x1b[2J\\u202e ü\n");
}

}  // namespace
}  // namespace evaljob::test
