#include "evaljob-runner/dataset/gzip_file.hpp"

#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace evaljob {

Result<std::string> read_gzip_or_plain(const std::string& path, std::uint64_t limit) {
    errno = 0;
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(::gzopen(path.c_str(), "rb"), &::gzclose);
    if (!file) return fail(errno == ENOENT ? "NotFound" : "ReadFailed", path + ": " + std::strerror(errno));
    ::gzbuffer(file.get(), 1U << 18);
    std::string content;
    std::string block(std::size_t{1} << 16, '\0');
    for (;;) {
        const int got = ::gzread(file.get(), block.data(), static_cast<unsigned>(block.size()));
        int code = Z_OK;
        const char* why = ::gzerror(file.get(), &code);
        // A cut gzip file reads without an error up to the cut; only then does zlib say Z_BUF_ERROR.
        if (got < 0 || (got == 0 && code != Z_OK)) {
            return fail("ReadFailed", path + ": " + (code == Z_ERRNO ? std::strerror(errno) : why));
        }
        if (got == 0) return content;
        if (content.size() + static_cast<std::size_t>(got) > limit) {
            return fail("TooLarge", path + ": is over " + std::to_string(limit) + " bytes when decompressed");
        }
        content.append(block.data(), static_cast<std::size_t>(got));
    }
}

}  // namespace evaljob
