// A file's bytes without a copy. The file must not be cut short while it is mapped: ours are only ever appended to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "api/result.hpp"

namespace evaljob {

class MappedFile {
public:
    /// Fails with NotFound or ReadFailed, naming the file.
    static Result<MappedFile> open(const std::string& path);
    /// Only what a loss of power would leave: what others have written is made durable first, and the bytes come from
    /// the disk. After an fsync that failed (whoever called it) the page cache may hold what the disk does not.
    /// Fails with WriteFailed too.
    static Result<MappedFile> open_durable(const std::string& path);

    MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    MappedFile& operator=(MappedFile&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~MappedFile();

    std::string_view bytes() const { return bytes_; }

private:
    static Result<MappedFile> map(int descriptor, std::uint64_t size, const std::string& path);
    explicit MappedFile(std::string_view bytes) : bytes_(bytes) {}
    std::string_view bytes_;
};

}  // namespace evaljob
