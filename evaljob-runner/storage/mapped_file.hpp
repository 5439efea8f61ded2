// A file's bytes without a copy. The file must not be cut short while it is mapped: ours are only ever appended to.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "api/result.hpp"

namespace evaljob {

class MappedFile {
public:
    /// Fails with NotFound or ReadFailed, naming the file.
    static Result<MappedFile> open(const std::string& path);

    MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    MappedFile& operator=(MappedFile&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~MappedFile();

    std::string_view bytes() const { return bytes_; }

private:
    explicit MappedFile(std::string_view bytes) : bytes_(bytes) {}
    std::string_view bytes_;
};

}  // namespace evaljob
