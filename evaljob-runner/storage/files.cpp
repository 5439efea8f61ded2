#include "evaljob-runner/storage/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <random>

#include "evaljob-runner/storage/file_descriptor.hpp"

namespace evaljob {

namespace fs = std::filesystem;

namespace {

tl::unexpected<Error> write_failed(const std::string& path) { return write_failure(path, errno); }

std::string folder_of(const std::string& path) {
    const auto folder = fs::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

}  // namespace

tl::unexpected<Error> write_failure(const std::string& path, int error_number) {
    const std::string what = path + ": " + std::strerror(error_number);
    if (error_number == ENOSPC || error_number == EDQUOT)
        return fail("NoSpace", what + "; free some space there and run it again: what is done is kept");
    if (error_number == EROFS || error_number == EACCES || error_number == EPERM)
        return fail("WriteFailed", what + "; choose another storage.path (or --output), or make it writable");
    return fail("WriteFailed", what, true);
}

Result<void> write_all(int descriptor, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t wrote = ::write(descriptor, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return write_failed(path);
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
}

Result<std::string> read_file(const std::string& path, std::uint64_t limit) {
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return fail(errno == ENOENT ? "NotFound" : "ReadFailed", path + ": " + std::strerror(errno));
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return fail("ReadFailed", path + ": " + std::strerror(errno));
    if (!S_ISREG(status.st_mode)) return fail("ReadFailed", path + ": is not a file");
    std::string content;
    content.reserve(
        static_cast<std::size_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(status.st_size), limit)));
    std::string block(std::size_t{1} << 18, '\0');
    for (;;) {
        const ssize_t got = ::read(file.get(), block.data(), block.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail("ReadFailed", path + ": " + std::strerror(errno));
        if (got == 0) return content;
        if (content.size() + static_cast<std::size_t>(got) > limit) {
            return fail("TooLarge", path + ": is over " + std::to_string(limit) + " bytes");
        }
        content.append(block.data(), static_cast<std::size_t>(got));
    }
}

Result<void> write_file_durably(const std::string& path, std::string_view content) {
    // Pods on one volume share pids, so a random number it is.
    const std::string temporary = path + ".tmp-" + std::to_string(std::random_device{}());
    FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file) return write_failed(temporary);
    if (auto wrote = write_all(file.get(), content, temporary); !wrote) {
        ::unlink(temporary.c_str());
        return wrote;
    }
    // Network file systems report write errors as late as at close.
    if (::fsync(file.get()) != 0 || ::close(file.release()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
        auto failure = write_failed(path);
        ::unlink(temporary.c_str());
        return failure;
    }
    return sync_folder(folder_of(path));
}

Result<void> make_folders(const std::string& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) return write_failure(path, error.value());
    return {};
}

Result<void> sync_folder(const std::string& folder) {
    const FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Some network file systems refuse fsync on folders; their renames are durable when they return.
    if (!opened || (::fsync(opened.get()) != 0 && errno != EINVAL)) return write_failed(folder);
    return {};
}

Result<std::vector<std::string>> list_files(const std::string& folder, std::string_view suffix) {
    std::vector<std::string> found;
    std::error_code error;
    if (!fs::exists(folder, error)) return found;
    for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        const std::string name = it->path().filename().string();
        if (!name.ends_with(suffix) || !it->is_regular_file(error)) continue;
        found.push_back(fs::relative(it->path(), folder, error).string());
    }
    if (error) return fail("ReadFailed", folder + ": " + error.message());
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace evaljob
