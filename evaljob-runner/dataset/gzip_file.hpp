// A file's content, decompressed when it is gzip.
#pragma once

#include <cstdint>
#include <string>

#include "api/result.hpp"

namespace evaljob {

/// Fails with NotFound, ReadFailed, or TooLarge when there are more than `limit` bytes after decompression.
Result<std::string> read_gzip_or_plain(const std::string& path, std::uint64_t limit);

}  // namespace evaljob
