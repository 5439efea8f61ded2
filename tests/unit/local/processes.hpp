// Looking at real processes: waiting for what must come true, and finding processes by a mark on their command line.
#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <utility>

#include <boost/asio/io_context.hpp>

namespace evaljob::local {

inline constexpr std::chrono::seconds patience{20};

/// Asks again until it is so; false when it never is.
inline bool becomes_true(const std::function<bool()>& is_so) {
    for (const auto deadline = std::chrono::steady_clock::now() + patience; std::chrono::steady_clock::now() < deadline;
         std::this_thread::sleep_for(std::chrono::milliseconds(2))) {
        if (is_so()) return true;
    }
    return is_so();
}

/// The same, while the io_context works.
inline bool run_until(boost::asio::io_context& io, const std::function<bool()>& is_so) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!is_so()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        io.restart();
        io.run_one_for(std::chrono::milliseconds(20));
    }
    return true;
}

/// Seconds for `sleep` that no other process of this machine sleeps: a mark that survives setsid and a cleared
/// environment.
inline std::string unique_sleep() {
    static std::atomic<int> count{0};
    return "1000." + std::to_string(::getpid()) + std::to_string(++count);
}

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::ostringstream text;  // unlike a stream iterator it does not throw when what it reads from goes, as in /proc
    text << file.rdbuf();
    return text.str();
}

/// Living processes whose command line is `sleep MARK`.
inline std::vector<int> sleepers(const std::string& mark) {
    std::vector<int> pids;
    // Not setsid or env about to become it, whose command lines end the same.
    const std::string plain = std::string("sleep\0", 6) + mark + std::string(1, '\0');
    const auto is_sleep = [&](const std::string& line) {
        return line.ends_with(plain) && line.find('\0') == line.size() - plain.size() + 5;
    };
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const auto name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        if (is_sleep(read_file(entry.path() / "cmdline"))) pids.push_back(std::stoi(name));
    }
    return pids;
}

/// A folder that goes with its owner.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "evaljob-test-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace evaljob::local
