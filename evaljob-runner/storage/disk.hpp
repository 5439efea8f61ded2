// The system calls by which the runner touches its volume, each with POSIX's meaning and errno. They stand in one place
// so that a simulation can link a disk of its own below the very same code (tests/simulation/runner); posix_disk.cpp is
// the real one. Thread rule: any thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace evaljob::disk {

enum class Kind { Missing, File, Folder, Pipe, Socket, Device };

struct Status {
    Kind kind = Kind::Missing;  // Missing also when it cannot be told; errno says why
    std::uint64_t size = 0;     // bytes of a file
    std::uint64_t device = 0;   // of the file system that it lies on
    std::uint64_t number = 0;   // there, its inode's
    std::int64_t modified = 0;  // seconds, by the file system's clock
};

/// open(2) with O_CLOEXEC and, for what is created, mode 0644.
int open(const std::string& path, int flags);
ssize_t read(int descriptor, char* bytes, std::size_t size);
ssize_t write(int descriptor, const char* bytes, std::size_t size);
int sync(int descriptor);  // fsync(2)
int close(int descriptor);
int lock(int descriptor);  // flock(2), exclusive; waits

/// Drops what the page cache holds of a file and is not waiting to be written: what is read next comes from the disk.
void forget_cached(int descriptor);

Status status(int descriptor);
Status status(const std::string& path);

int rename(const std::string& from, const std::string& to);
int unlink(const std::string& path);
int make_folder(const std::string& path);
int remove_folder(const std::string& path);  // an empty one
/// What lies in a folder, in no order; nothing when it cannot be read (errno).
std::optional<std::vector<std::string>> names_in(const std::string& folder);

/// The first `size` bytes of a file, read-only; null on failure. `size` is not 0.
const char* map(int descriptor, std::size_t size);
void unmap(const char* bytes, std::size_t size);

/// For temporary names: Pods on one volume share pids, so a random number it is.
std::string unique_name();

}  // namespace evaljob::disk
