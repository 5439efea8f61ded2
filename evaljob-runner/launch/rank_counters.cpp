#include "evaljob-runner/launch/rank_counters.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>

namespace evaljob {

namespace {

constexpr std::size_t page = 4096;
static_assert(sizeof(RankCounters) <= page);

/// Null when it cannot be mapped.
std::shared_ptr<RankCounters> map(const FileDescriptor& file) {
    void* memory = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (memory == MAP_FAILED) return nullptr;
    // A page of zeros is counters at zero: whoever maps it second must not begin anew.
    return {std::launder(reinterpret_cast<RankCounters*>(memory)),
            [](RankCounters* mapped) { ::munmap(mapped, page); }};
}

}  // namespace

Result<SharedCounters> SharedCounters::make() {
    FileDescriptor file(::memfd_create("evaljob-rank-counters", MFD_CLOEXEC));
    if (!file || ::ftruncate(file.get(), page) != 0)
        return fail("StartFailed", std::string("memory for a rank's counters: ") + std::strerror(errno), true);
    auto counters = map(file);
    if (!counters)
        return fail("StartFailed", std::string("memory for a rank's counters: ") + std::strerror(errno), true);
    return SharedCounters(std::move(file), std::move(counters));
}

SharedCounters SharedCounters::open(const std::string& path) {
    FileDescriptor file(path.empty() ? -1 : ::open(path.c_str(), O_RDWR | O_CLOEXEC));
    auto counters = file && ::lseek(file.get(), 0, SEEK_END) == static_cast<off_t>(page) ? map(file) : nullptr;
    if (!counters) counters = std::make_shared<RankCounters>();
    return {std::move(file), std::move(counters)};
}

std::string SharedCounters::path() const {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file_.get());
}

}  // namespace evaljob
