#include "evaljob-runner/dataset/gzip_file.hpp"

#include <zlib.h>

#include <cerrno>
#include <memory>

#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

Result<std::string> read_gzip_or_plain(const std::string& path, std::uint64_t limit) {
    auto opened = open_regular(path);
    if (!opened) return tl::unexpected(opened.error());
    errno = 0;
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(::gzdopen(opened->file.get(), "rb"), &::gzclose);
    if (!file) return read_failure(path, errno);
    opened->file.release();  // closed with the other
    ::gzbuffer(file.get(), 1U << 18);
    std::string content;
    std::string block(std::size_t{1} << 16, '\0');
    for (;;) {
        const int got = ::gzread(file.get(), block.data(), static_cast<unsigned>(block.size()));
        int code = Z_OK;
        const char* why = ::gzerror(file.get(), &code);
        // A cut gzip file reads without an error up to the cut; only then does zlib say Z_BUF_ERROR.
        if (got < 0 || (got == 0 && code != Z_OK)) {
            if (code == Z_ERRNO) return read_failure(path, errno);
            return fail("Damaged", path + ": " + why);
        }
        if (got == 0) return content;
        if (content.size() + static_cast<std::size_t>(got) > limit) {
            return fail("TooLarge", path + ": is over " + std::to_string(limit) + " bytes when decompressed");
        }
        content.append(block.data(), static_cast<std::size_t>(got));
    }
}

}  // namespace evaljob
