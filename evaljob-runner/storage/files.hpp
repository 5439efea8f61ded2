// The one door to files that must survive a crash. Every function names the file in its Error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/result.hpp"

namespace evaljob {

/// The Error of a write to `path` that failed with this errno: NoSpace when the disk (or a quota) is full, which only a
/// person can mend, else WriteFailed.
tl::unexpected<Error> write_failure(const std::string& path, int error_number);

/// A file's whole content; fails with NotFound, TooLarge (over `limit` bytes) or ReadFailed.
Result<std::string> read_file(const std::string& path, std::uint64_t limit);

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

/// Regular files below `folder` whose name ends so, as paths relative to it, sorted. A missing folder is empty.
Result<std::vector<std::string>> list_files(const std::string& folder, std::string_view suffix);

/// A file or a folder with all that lies in it, as far as that goes: what cannot be removed stays.
void remove_all(const std::string& path);

}  // namespace evaljob
