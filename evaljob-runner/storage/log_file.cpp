#include "evaljob-runner/storage/log_file.hpp"

#include <fcntl.h>

#include <cerrno>
#include <filesystem>

#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

Result<LogFile> LogFile::create(const std::string& path, std::string_view first_bytes) {
    LogFile log(path, FileDescriptor(disk::open(path, O_WRONLY | O_CREAT | O_EXCL)));
    if (!log.file_ && errno == EEXIST) return fail("AlreadyExists", path + ": is there already");
    if (!log.file_) return write_failure(path, errno);
    if (auto wrote = log.append(first_bytes); !wrote) return tl::unexpected(wrote.error());
    if (auto committed = log.commit(); !committed) return tl::unexpected(committed.error());
    // A file whose folder entry is not durable is lost with everything in it.
    if (auto synced = sync_folder(std::filesystem::path(path).parent_path().string()); !synced)
        return tl::unexpected(synced.error());
    return log;
}

Result<LogFile> LogFile::reopen(const std::string& path) {
    LogFile log(path, FileDescriptor(disk::open(path, O_WRONLY | O_APPEND)));
    if (!log.file_) return write_failure(path, errno);
    return log;
}

Result<void> LogFile::append(std::string_view bytes) { return write_all(file_.get(), bytes, path_); }

Result<void> LogFile::commit() {
    if (disk::sync(file_.get()) != 0) return write_failure(path_, errno);
    return {};
}

Result<void> LogFile::close(std::string_view last_bytes) {
    if (auto wrote = append(last_bytes); !wrote) return wrote;
    if (auto synced = commit(); !synced) return synced;
    if (disk::close(file_.release()) != 0) return write_failure(path_, errno);
    return {};
}

}  // namespace evaljob
