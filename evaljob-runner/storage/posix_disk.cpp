#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <random>

#include "evaljob-runner/storage/disk.hpp"

namespace evaljob::disk {

namespace {

Kind kind_of(mode_t mode) {
    if (S_ISREG(mode)) return Kind::File;
    if (S_ISDIR(mode)) return Kind::Folder;
    if (S_ISFIFO(mode)) return Kind::Pipe;
    return S_ISSOCK(mode) ? Kind::Socket : Kind::Device;
}

Status status_of(const struct stat& found) {
    return {kind_of(found.st_mode), static_cast<std::uint64_t>(found.st_size), found.st_dev, found.st_ino,
            found.st_mtim.tv_sec};
}

}  // namespace

int open(const std::string& path, int flags) { return ::open(path.c_str(), flags | O_CLOEXEC, 0644); }
ssize_t read(int descriptor, char* bytes, std::size_t size) { return ::read(descriptor, bytes, size); }
ssize_t write(int descriptor, const char* bytes, std::size_t size) { return ::write(descriptor, bytes, size); }
int sync(int descriptor) { return ::fsync(descriptor); }
int close(int descriptor) { return ::close(descriptor); }
int lock(int descriptor) { return ::flock(descriptor, LOCK_EX); }
void forget_cached(int descriptor) { ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED); }

Status status(int descriptor) {
    struct stat found {};
    return ::fstat(descriptor, &found) == 0 ? status_of(found) : Status{};
}

Status status(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 ? status_of(found) : Status{};
}

int rename(const std::string& from, const std::string& to) { return ::rename(from.c_str(), to.c_str()); }
int unlink(const std::string& path) { return ::unlink(path.c_str()); }
int make_folder(const std::string& path) { return ::mkdir(path.c_str(), 0777); }
int remove_folder(const std::string& path) { return ::rmdir(path.c_str()); }

std::optional<std::vector<std::string>> names_in(const std::string& folder) {
    const std::unique_ptr<DIR, int (*)(DIR*)> opened(::opendir(folder.c_str()), &::closedir);
    if (!opened) return std::nullopt;
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(opened.get())) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(name);
        errno = 0;
    }
    if (errno != 0) return std::nullopt;
    return names;
}

const char* map(int descriptor, std::size_t size) {
    void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    return start == MAP_FAILED ? nullptr : static_cast<const char*>(start);
}

void unmap(const char* bytes, std::size_t size) { ::munmap(const_cast<char*>(bytes), size); }

std::string unique_name() {
    std::random_device device;
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%08x%08x", device(), device());
    return text.data();
}

}  // namespace evaljob::disk
