// Where a container leaves its last words: a file in memory, which it writes by its path while this program lives. A
// full disk, of which it may have to tell, does not keep it from telling.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace evaljob::local {

class TerminationLog {
public:
    TerminationLog() : descriptor_(::memfd_create("termination", MFD_CLOEXEC)) {}
    TerminationLog(TerminationLog&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    TerminationLog& operator=(TerminationLog&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~TerminationLog() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    /// For every process of this user. Without memory it names nothing, and the container's last words are lost.
    std::string path() const { return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(descriptor_); }

private:
    int descriptor_;
};

}  // namespace evaljob::local
