#include "evaljob-runner/storage/memory_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace evaljob {

namespace {

constexpr int sealed = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;

tl::unexpected<Error> unavailable(const char* call) {
    return fail("Unavailable", std::string("a file in memory: ") + call + ": " + std::strerror(errno));
}

/// Its own owner; empty when there is no room.
std::shared_ptr<char> mapped(int descriptor, std::uint64_t size, int protection) {
    void* start = ::mmap(nullptr, size, protection, MAP_SHARED, descriptor, 0);
    if (start == MAP_FAILED) return nullptr;
    return {static_cast<char*>(start), [size](char* bytes) { ::munmap(bytes, size); }};
}

}  // namespace

Result<MemoryFile> MemoryFile::make() {
    FileDescriptor file(::memfd_create("evaljob-model", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file) return unavailable("memfd_create");
    return MemoryFile(std::move(file));
}

Result<MemoryFile> MemoryFile::inherited(int descriptor) {
    if (::fcntl(descriptor, F_GET_SEALS) < 0) return unavailable("what was handed down");
    const FileDescriptor handed_down(descriptor);
    const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
    FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!file) return unavailable("open");
    return MemoryFile(std::move(file));
}

MemoryFile::Turn MemoryFile::turn() {
    if ((::fcntl(file_.get(), F_GET_SEALS) & sealed) == sealed) return Turn::Full;
    if (!lock(F_WRLCK)) return Turn::Wait;
    if ((::fcntl(file_.get(), F_GET_SEALS) & sealed) != sealed) return Turn::Fill;
    lock(F_UNLCK);  // it was filled between the two questions
    return Turn::Full;
}

std::uint64_t MemoryFile::filled() const {
    struct stat status {};
    return ::fstat(file_.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) : 0;
}

Result<void> MemoryFile::fill(std::uint64_t size, const std::function<Result<void>(char* to)>& write) {
    const auto filled = [&]() -> Result<void> {
        if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) return unavailable("ftruncate");
        if (size == 0) return write(nullptr);  // mmap refuses a length of 0
        const auto room = mapped(file_.get(), size, PROT_READ | PROT_WRITE);
        if (!room) return unavailable("mmap");
        return write(room.get());
    }();
    Result<void> result = filled;
    if (filled && ::fcntl(file_.get(), F_ADD_SEALS, sealed) != 0) result = unavailable("sealing it");
    lock(F_UNLCK);
    return result;
}

Result<SharedBytes> MemoryFile::bytes() const {
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) return unavailable("fstat");
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (size == 0) return SharedBytes{};
    auto bytes = mapped(file_.get(), size, PROT_READ);
    if (!bytes) return unavailable("mmap");
    const std::string_view view(bytes.get(), size);
    return SharedBytes{view, std::move(bytes)};
}

/// Of the open file, not of the process; gone when the process is.
bool MemoryFile::lock(short kind) const {
    struct flock whole {};
    whole.l_type = kind;
    whole.l_whence = SEEK_SET;
    return ::fcntl(file_.get(), F_OFD_SETLK, &whole) == 0;
}

}  // namespace evaljob
