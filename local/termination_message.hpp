// What a container leaves to be said about its end: its termination log, or the end of its output.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace evaljob::local {

inline constexpr std::size_t largest_termination_message = 4096;  // bytes, as the real kubelet's limit

/// The last lines of a text: at most 80 of them and 2,048 bytes. Pure.
std::string last_lines(const std::string& text);

/// The termination log's first 4,096 bytes; where it is empty and `fall_back`, the last lines of what the log file
/// holds from `log_start` on. Always valid UTF-8; empty when there is nothing to read.
std::string termination_message(const std::filesystem::path& termination_log, bool fall_back,
                                const std::filesystem::path& log, std::uintmax_t log_start);

}  // namespace evaljob::local
