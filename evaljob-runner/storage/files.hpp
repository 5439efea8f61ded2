// The one door to files that must survive a crash. Every function names the file in its Error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/result.hpp"
#include "evaljob-runner/storage/file_descriptor.hpp"

namespace evaljob {

/// The Error of a file that could not be opened or read, by errno: NotFound; ReadFailed, which may be tried again,
/// where a volume or a network has failed; else Unreadable, which only a person can mend.
tl::unexpected<Error> read_failure(const std::string& path, int error_number);

/// A regular file, opened for reading, and its size. Whatever else has that path is refused by what it is, and never
/// waited for: a pipe without a writer, a device without an end. Fails as read_failure() says.
struct OpenedFile {
    FileDescriptor file;
    std::uint64_t size = 0;
};
Result<OpenedFile> open_regular(const std::string& path);

/// The Error of a write to `path` that failed with this errno: NoSpace when the disk (or a quota) is full, which only a
/// person can mend, as is a file that is larger than this process may write; else WriteFailed.
tl::unexpected<Error> write_failure(const std::string& path, int error_number);

/// A file's whole content; fails with TooLarge (over `limit` bytes), and as open_regular() does.
Result<std::string> read_file(const std::string& path, std::uint64_t limit);

/// Of a file's content as it lies there. Fails as open_regular() does.
Result<std::string> file_sha256(const std::string& path);

/// Writes a temporary file beside `path`, fsyncs it, renames it into place and fsyncs the folder: after success a
/// crash finds the whole new content, before it the old. Fails with WriteFailed or NoSpace.
Result<void> write_file_durably(const std::string& path, std::string_view content);

/// mkdir -p; after success `path` survives a crash. Fails with WriteFailed or NoSpace.
Result<void> make_folders(const std::string& path);

/// Makes `path`'s entry in its folder durable, that folder's in its own, and so on up to the root of the file system:
/// whoever made them, perhaps another process that died before it could.
Result<void> sync_entries(const std::string& path);

/// Makes a rename or a creation inside `folder` durable.
Result<void> sync_folder(const std::string& folder);

/// Regular files below `folder` whose name ends so, as paths relative to it, sorted. A missing folder is empty. Links
/// are followed, into each folder once: one that leads upwards ends there.
Result<std::vector<std::string>> list_files(const std::string& folder, std::string_view suffix);

/// What write_file_durably() has left beside `path` in processes that died. Nobody can tell who lives on other
/// machines, but whoever still writes such a file changes it: those that nobody has changed for an hour go. `now`: by
/// the file system's clock.
void remove_temporaries(const std::string& path, std::int64_t now);

/// A file or a folder with all that lies in it, as far as that goes: what cannot be removed stays.
void remove_all(const std::string& path);

}  // namespace evaljob
