#include "evaljob-runner/storage/mapped_file.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "evaljob-runner/storage/file_descriptor.hpp"

namespace evaljob {

namespace {

struct Opened {
    FileDescriptor file;
    std::uint64_t size = 0;
};

Result<Opened> open_file(const std::string& path) {
    FileDescriptor file(disk::open(path, O_RDONLY));
    if (!file) return fail(errno == ENOENT ? "NotFound" : "ReadFailed", path + ": " + std::strerror(errno));
    const disk::Status status = disk::status(file.get());
    if (status.kind == disk::Kind::Missing) return fail("ReadFailed", path + ": " + std::strerror(errno));
    if (status.kind != disk::Kind::File) return fail("ReadFailed", path + ": is not a file");
    return Opened{std::move(file), status.size};
}

}  // namespace

Result<MappedFile> MappedFile::map(int descriptor, std::uint64_t size, const std::string& path) {
    if (size == 0) return MappedFile(std::string_view());  // mmap refuses a length of 0
    const char* start = disk::map(descriptor, size);
    if (start == nullptr) return fail("ReadFailed", path + ": " + std::strerror(errno));
    return MappedFile(std::string_view(start, size));
}

Result<MappedFile> MappedFile::open(const std::string& path) {
    const auto opened = open_file(path);
    if (!opened) return tl::unexpected(opened.error());
    return map(opened->file.get(), opened->size, path);
}

Result<MappedFile> MappedFile::open_durable(const std::string& path) {
    const auto opened = open_file(path);
    if (!opened) return tl::unexpected(opened.error());
    if (disk::sync(opened->file.get()) != 0) return fail("WriteFailed", path + ": fsync: " + std::strerror(errno));
    disk::forget_cached(opened->file.get());
    // A writer may have appended since: only the size of before the fsync is known to be durable.
    return map(opened->file.get(), opened->size, path);
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) disk::unmap(bytes_.data(), bytes_.size());
}

}  // namespace evaljob
