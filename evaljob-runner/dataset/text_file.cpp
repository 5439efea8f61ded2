#include "evaljob-runner/dataset/text_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <limits>
#include <utility>

#include "api/digest.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 20U;

}  // namespace

std::uint64_t sample_limit(const Dataset& dataset) {
    return static_cast<std::uint64_t>(dataset.limit.value_or(std::numeric_limits<std::int64_t>::max()));
}

TextFile::TextFile(const Dataset& dataset, const std::string& storage_root)
    : dataset_(dataset), path_(resolve_path(storage_root, dataset.path)) {}

tl::unexpected<Error> TextFile::refused(const std::string& what) const { return bad_input(dataset_, what); }

tl::unexpected<Error> TextFile::too_long(const std::string& place) const {
    return refused("path: " + place + ": is longer than " + std::to_string(max_text_sample_bytes) +
                   " bytes; keep large inputs in files that it names");
}

Result<void> TextFile::read(const std::function<void(std::string_view block)>& take) {
    auto opened = open_regular(path_);
    if (!opened) return input_failure("dataset " + dataset_.name + ": path", opened.error());
    file_ = std::move(opened->file);
    Sha256 digest;
    std::string block(block_bytes, '\0');
    for (std::uint64_t offset = 0;;) {
        const auto count = read_at(offset, block.data(), block.size());
        if (!count) return tl::unexpected(count.error());
        const std::string_view got(block.data(), *count);
        if (got.empty()) break;
        if (offset == 0 && got.starts_with("\x1f\x8b"))
            return refused("path: " + path_ + ": is compressed; decompress it: lines are read where they lie");
        digest.update(got);
        take(got);
        offset += got.size();
    }
    sha256_ = digest.hex();
    if (!dataset_.sha256.empty() && sha256_ != dataset_.sha256)
        return refused(other_sha256("sha256", path_, sha256_, dataset_.sha256));
    return {};
}

Result<std::string> TextFile::part(std::uint64_t offset, std::uint64_t length, const std::string& place) {
    std::string text(length, '\0');
    for (std::uint64_t have = 0; have < length;) {
        const auto count = read_at(offset + have, text.data() + have, length - have);
        if (!count) return tl::unexpected(count.error());
        if (*count == 0) return refused("path: " + place + ": cannot be read any more; was the file changed?");
        have += *count;
    }
    return text;
}

/// As many bytes as come; none at its end.
Result<std::size_t> TextFile::read_at(std::uint64_t offset, char* to, std::size_t count) {
    for (;;) {
        const ssize_t got = ::pread(file_.get(), to, count, static_cast<off_t>(offset));
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR)
            return input_failure("dataset " + dataset_.name + ": path", read_failure(path_, errno).value());
    }
}

}  // namespace evaljob
