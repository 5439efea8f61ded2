#include "evaljob-runner/storage/files.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "evaljob-runner/storage/file_descriptor.hpp"

namespace evaljob {

namespace {

tl::unexpected<Error> write_failed(const std::string& path) { return write_failure(path, errno); }
tl::unexpected<Error> read_failed(const std::string& path) {
    return fail("ReadFailed", path + ": " + std::strerror(errno));
}

std::string folder_of(const std::string& path) {
    const auto folder = std::filesystem::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

Result<void> list_below(const std::string& folder, const std::string& prefix, std::string_view suffix,
                        std::vector<std::string>& found) {
    const auto names = disk::names_in(folder);
    if (!names) return read_failed(folder);
    for (const std::string& name : *names) {
        const std::string path = folder + "/" + name;
        const disk::Kind kind = disk::status(path).kind;  // Missing: removed since
        if (kind == disk::Kind::File && name.ends_with(suffix)) found.push_back(prefix + name);
        if (kind != disk::Kind::Folder) continue;
        if (auto below = list_below(path, prefix + name + "/", suffix, found); !below) return below;
    }
    return {};
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
        const ssize_t wrote = disk::write(descriptor, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return write_failed(path);
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
}

Result<std::string> read_file(const std::string& path, std::uint64_t limit) {
    const FileDescriptor file(disk::open(path, O_RDONLY));
    if (!file) return fail(errno == ENOENT ? "NotFound" : "ReadFailed", path + ": " + std::strerror(errno));
    const disk::Status status = disk::status(file.get());
    if (status.kind == disk::Kind::Missing) return read_failed(path);
    if (status.kind != disk::Kind::File) return fail("ReadFailed", path + ": is not a file");
    std::string content;
    content.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(status.size, limit)));
    // One byte more than is there finds the end with the second read.
    constexpr std::uint64_t largest_block = 1 << 18;
    std::string block(static_cast<std::size_t>(std::min(status.size + 1, largest_block)), '\0');
    for (;;) {
        const ssize_t got = disk::read(file.get(), block.data(), block.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return read_failed(path);
        if (got == 0) return content;
        if (content.size() + static_cast<std::size_t>(got) > limit) {
            return fail("TooLarge", path + ": is over " + std::to_string(limit) + " bytes");
        }
        content.append(block.data(), static_cast<std::size_t>(got));
    }
}

Result<void> write_file_durably(const std::string& path, std::string_view content) {
    const std::string temporary = path + ".tmp-" + disk::unique_name();
    FileDescriptor file(disk::open(temporary, O_WRONLY | O_CREAT | O_EXCL));
    if (!file) return write_failed(temporary);
    if (auto wrote = write_all(file.get(), content, temporary); !wrote) {
        disk::unlink(temporary);
        return wrote;
    }
    // Network file systems report write errors as late as at close.
    if (disk::sync(file.get()) != 0 || disk::close(file.release()) != 0 || disk::rename(temporary, path) != 0) {
        auto failure = write_failed(path);
        disk::unlink(temporary);
        return failure;
    }
    return sync_folder(folder_of(path));
}

Result<void> make_folders(const std::string& path) {
    std::vector<std::string> missing;
    for (std::string folder = path; disk::status(folder).kind == disk::Kind::Missing; folder = folder_of(folder)) {
        missing.push_back(folder);
        if (folder == folder_of(folder)) break;
    }
    for (; !missing.empty(); missing.pop_back())
        if (disk::make_folder(missing.back()) != 0 && errno != EEXIST) return write_failed(missing.back());
    if (disk::status(path).kind != disk::Kind::Folder) return fail("WriteFailed", path + ": is not a folder");
    return sync_entries(path);
}

Result<void> sync_entries(const std::string& path) {
    const std::uint64_t device = disk::status(path).device;
    for (std::string folder = folder_of(path);; folder = folder_of(folder)) {
        // The entry of a file system's root is its mount's business; a folder closed to us has no entries of ours.
        if (disk::status(folder).device != device) return {};
        const FileDescriptor opened(disk::open(folder, O_RDONLY | O_DIRECTORY));
        if (!opened && (errno == EACCES || errno == EPERM)) return {};
        if (!opened || (disk::sync(opened.get()) != 0 && errno != EINVAL)) return write_failed(folder);
        if (folder == folder_of(folder)) return {};
    }
}

Result<void> sync_folder(const std::string& folder) {
    const FileDescriptor opened(disk::open(folder, O_RDONLY | O_DIRECTORY));
    // Some network file systems refuse fsync on folders; their renames are durable when they return.
    if (!opened || (disk::sync(opened.get()) != 0 && errno != EINVAL)) return write_failed(folder);
    return {};
}

Result<std::vector<std::string>> list_files(const std::string& folder, std::string_view suffix) {
    std::vector<std::string> found;
    if (disk::status(folder).kind == disk::Kind::Missing) return found;
    if (auto listed = list_below(folder, "", suffix, found); !listed) return tl::unexpected(listed.error());
    std::sort(found.begin(), found.end());
    return found;
}

void remove_all(const std::string& path) {
    if (disk::unlink(path) == 0 || errno == ENOENT) return;
    for (const std::string& name : disk::names_in(path).value_or(std::vector<std::string>()))
        remove_all(path + "/" + name);
    disk::remove_folder(path);
}

}  // namespace evaljob
