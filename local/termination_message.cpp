#include "local/termination_message.hpp"

#include <algorithm>
#include <fstream>

#include "local/metav1.hpp"

namespace evaljob::local {
namespace {

constexpr std::size_t fallback_bytes = 2048;
constexpr int fallback_lines = 80;

std::string read(const std::filesystem::path& path, std::uintmax_t from, std::size_t limit) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return {};
    file.seekg(static_cast<std::streamoff>(from));
    std::string bytes(limit, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(limit));
    bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
    return bytes;
}

}  // namespace

std::string last_lines(const std::string& text) {
    std::size_t start = text.size() > fallback_bytes ? text.size() - fallback_bytes : 0;
    std::size_t at = text.empty() || text.back() != '\n' ? text.size() : text.size() - 1;
    for (int lines = 0; lines < fallback_lines && at != std::string::npos && at > 0; ++lines)
        at = text.rfind('\n', at - 1);
    if (at != std::string::npos && at > 0 && at + 1 > start) start = at + 1;
    return text.substr(start);
}

std::string termination_message(const std::filesystem::path& termination_log, bool fall_back,
                                const std::filesystem::path& log, std::uintmax_t log_start) {
    const auto written = read(termination_log, 0, largest_termination_message);
    if (!written.empty() || !fall_back) return valid_utf8(written);
    std::error_code error;
    const auto size = std::filesystem::file_size(log, error);
    if (error || size <= log_start) return {};
    const auto from = std::max(log_start, size - std::min<std::uintmax_t>(size, fallback_bytes));
    return valid_utf8(last_lines(read(log, from, fallback_bytes)));
}

}  // namespace evaljob::local
