#include "evaljob-runner/storage/files.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

#include "api/digest.hpp"

namespace evaljob {

namespace {

tl::unexpected<Error> write_failed(const std::string& path) { return write_failure(path, errno); }
tl::unexpected<Error> read_failed(const std::string& path) { return read_failure(path, errno); }

constexpr const char* temporary_mark = ".tmp-";
constexpr std::int64_t longest_write = 3'600;  // seconds without a change

/// Of a volume or a network that did not answer, which may do so the next time.
bool may_pass(int error_number) {
    switch (error_number) {
        case EIO:
        case ESTALE:
        case ETIMEDOUT:
        case EREMOTEIO:
        case EAGAIN:
        case EINTR:
        case ENOMEM:
        case EMFILE:
        case ENFILE:
        case ENETDOWN:
        case ENETUNREACH:
        case EHOSTDOWN:
        case EHOSTUNREACH:
        case ECONNREFUSED:
        case ECONNRESET:
        case ECONNABORTED:
        case ENOTCONN:
            return true;
        default:
            return false;
    }
}

const char* word_for(disk::Kind kind) {
    switch (kind) {
        case disk::Kind::Folder:
            return "is a folder, where a file is wanted";
        case disk::Kind::Pipe:
            return "is a pipe (FIFO), where a file is wanted";
        case disk::Kind::Socket:
            return "is a socket, where a file is wanted";
        default:
            return "is a device, where a file is wanted";
    }
}

std::string folder_of(const std::string& path) {
    const auto folder = std::filesystem::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

struct Listing {
    std::string_view suffix;
    std::vector<std::string> found;
    std::set<std::pair<std::uint64_t, std::uint64_t>> seen;  // folders, by file system and number
};

Result<void> list_below(const std::string& folder, const std::string& prefix, Listing& listing) {
    auto names = disk::names_in(folder);
    if (!names && errno == ENOENT) return {};  // removed since
    if (!names) return read_failed(folder);
    std::sort(names->begin(), names->end());  // so that of two ways to a folder it is always the same that counts
    for (const std::string& name : *names) {
        const std::string path = folder + "/" + name;
        const disk::Status status = disk::status(path);  // Missing: removed since
        if (status.kind == disk::Kind::File && name.ends_with(listing.suffix)) listing.found.push_back(prefix + name);
        if (status.kind != disk::Kind::Folder || !listing.seen.emplace(status.device, status.number).second) continue;
        if (auto below = list_below(path, prefix + name + "/", listing); !below) return below;
    }
    return {};
}

}  // namespace

tl::unexpected<Error> read_failure(const std::string& path, int error_number) {
    const std::string what = path + ": " + std::strerror(error_number);
    if (error_number == ENOENT) return fail("NotFound", what);
    if (may_pass(error_number)) return fail("ReadFailed", what, true);
    return fail("Unreadable", what);
}

Result<OpenedFile> open_regular(const std::string& path) {
    // Without O_NONBLOCK opening a pipe waits for its writer. Files do not know it.
    FileDescriptor file(disk::open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
    const int error_number = file ? 0 : errno;
    const disk::Status status = file ? disk::status(file.get()) : disk::status(path);
    if (!file && error_number == ENXIO && status.kind == disk::Kind::Socket)
        return fail("Unreadable", path + ": " + word_for(status.kind));
    if (!file) return read_failure(path, error_number);
    if (status.kind == disk::Kind::Missing) return read_failed(path);
    if (status.kind != disk::Kind::File) return fail("Unreadable", path + ": " + word_for(status.kind));
    return OpenedFile{std::move(file), status.size};
}

tl::unexpected<Error> write_failure(const std::string& path, int error_number) {
    const std::string what = path + ": " + std::strerror(error_number);
    if (error_number == ENOSPC || error_number == EDQUOT)
        return fail("NoSpace", what + "; free some space there and run it again: what is done is kept");
    if (error_number == EFBIG)
        return fail("NoSpace", what + "; this process may not write files so large (ulimit -f), or the file system " +
                                   "cannot hold them: raise the limit and run it again, what is done is kept");
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
    const auto opened = open_regular(path);
    if (!opened) return tl::unexpected(opened.error());
    std::string content;
    content.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(opened->size, limit)));
    // One byte more than is there finds the end with the second read.
    constexpr std::uint64_t largest_block = 1 << 18;
    std::string block(static_cast<std::size_t>(std::min(opened->size + 1, largest_block)), '\0');
    for (;;) {
        const ssize_t got = disk::read(opened->file.get(), block.data(), block.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return read_failed(path);
        if (got == 0) return content;
        if (content.size() + static_cast<std::size_t>(got) > limit) {
            return fail("TooLarge", path + ": is over " + std::to_string(limit) + " bytes");
        }
        content.append(block.data(), static_cast<std::size_t>(got));
    }
}

Result<std::string> file_sha256(const std::string& path) {
    const auto opened = open_regular(path);
    if (!opened) return tl::unexpected(opened.error());
    Sha256 digest;
    std::string block(std::size_t{1} << 20, '\0');
    for (;;) {
        const ssize_t got = disk::read(opened->file.get(), block.data(), block.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return read_failed(path);
        if (got == 0) return digest.hex();
        digest.update(std::string_view(block).substr(0, static_cast<std::size_t>(got)));
    }
}

Result<void> write_file_durably(const std::string& path, std::string_view content) {
    const std::string temporary = path + temporary_mark + disk::unique_name();
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
    const disk::Status top = disk::status(folder);
    if (top.kind == disk::Kind::Missing) return std::vector<std::string>();
    Listing listing{suffix, {}, {{top.device, top.number}}};
    if (auto listed = list_below(folder, "", listing); !listed) return tl::unexpected(listed.error());
    std::sort(listing.found.begin(), listing.found.end());
    return std::move(listing.found);
}

void remove_temporaries(const std::string& path, std::int64_t now) {
    const std::string folder = folder_of(path);
    const std::string mark = std::filesystem::path(path).filename().string() + temporary_mark;
    for (const std::string& name : disk::names_in(folder).value_or(std::vector<std::string>())) {
        if (!name.starts_with(mark)) continue;
        const std::string temporary = folder + "/" + name;
        const disk::Status status = disk::status(temporary);
        if (status.kind == disk::Kind::File && now - status.modified > longest_write) disk::unlink(temporary);
    }
}

void remove_all(const std::string& path) {
    if (disk::unlink(path) == 0 || errno == ENOENT) return;
    for (const std::string& name : disk::names_in(path).value_or(std::vector<std::string>()))
        remove_all(path + "/" + name);
    disk::remove_folder(path);
}

}  // namespace evaljob
