#include "evaljob-runner/dataset/text_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <utility>

#include "api/digest.hpp"

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
    std::error_code ignored;
    if (std::filesystem::is_directory(path_, ignored))
        return refused(unreadable("path", Error{"ReadFailed", path_ + ": Is a directory"}));
    errno = 0;
    file_.open(path_, std::ios::binary);
    if (!file_) return refused(unreadable("path", Error{"ReadFailed", path_ + ": " + std::strerror(errno)}));
    Sha256 digest;
    std::string block(block_bytes, '\0');
    bool first = true;
    do {
        file_.read(block.data(), static_cast<std::streamsize>(block.size()));
        const std::string_view got(block.data(), static_cast<std::size_t>(file_.gcount()));
        if (std::exchange(first, false) && got.starts_with("\x1f\x8b"))
            return refused("path: " + path_ + ": is compressed; decompress it: lines are read where they lie");
        digest.update(got);
        take(got);
    } while (file_);
    if (file_.bad()) return refused("path: " + path_ + ": cannot be read to its end");
    sha256_ = digest.hex();
    if (!dataset_.sha256.empty() && sha256_ != dataset_.sha256)
        return refused(other_sha256("sha256", path_, sha256_, dataset_.sha256));
    return {};
}

Result<std::string> TextFile::part(std::uint64_t offset, std::uint64_t length, const std::string& place) {
    std::string text(length, '\0');
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(offset));
    file_.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file_) return refused("path: " + place + ": cannot be read any more; was the file changed?");
    return text;
}

}  // namespace evaljob
