// A file's bytes without a copy. Ours are only ever appended to; when one is cut short all the same, or its disk fails
// while it is mapped, the process says so with the file's name and ends as after any other failure of the volume.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "api/result.hpp"

namespace evaljob {

class MappedFile {
public:
    /// Fails as open_regular() does, naming the file.
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
