#include "evaljob-runner/launch/termination_log.hpp"

#include <fcntl.h>

#include <spdlog/spdlog.h>

#include "api/printable.hpp"
#include "api/runner_environment.hpp"
#include "evaljob-runner/storage/file_descriptor.hpp"

namespace evaljob {

void write_termination_message(const Environment& environment, const std::string& message) {
    constexpr std::size_t limit = 4096;  // of Kubernetes
    const auto named = environment.find(runner_environment::termination_log);
    const std::string path = named == environment.end() ? "/dev/termination-log" : named->second;
    const std::string shown = printable(message);  // kubectl shows it as it is
    const std::string kept = shown.size() > limit ? shown.substr(shown.size() - limit) : shown;
    const int flags = O_WRONLY | O_TRUNC | O_CLOEXEC | (named == environment.end() ? 0 : O_CREAT);
    const FileDescriptor file(::open(path.c_str(), flags, 0644));
    if (!file) {
        if (named != environment.end()) spdlog::warn("cannot write the termination message to {}", path);
        return;
    }
    if (auto wrote = write_all(file.get(), kept, path); !wrote) spdlog::warn("{}", wrote.error().message);
}

}  // namespace evaljob
