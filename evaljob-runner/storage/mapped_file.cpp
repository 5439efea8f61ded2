#include "evaljob-runner/storage/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "evaljob-runner/storage/file_descriptor.hpp"

namespace evaljob {

Result<MappedFile> MappedFile::open(const std::string& path) {
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return fail(errno == ENOENT ? "NotFound" : "ReadFailed", path + ": " + std::strerror(errno));
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return fail("ReadFailed", path + ": " + std::strerror(errno));
    if (!S_ISREG(status.st_mode)) return fail("ReadFailed", path + ": is not a file");
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) return MappedFile(std::string_view());  // mmap refuses a length of 0
    void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (start == MAP_FAILED) return fail("ReadFailed", path + ": " + std::strerror(errno));
    return MappedFile(std::string_view(static_cast<const char*>(start), size));
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace evaljob
