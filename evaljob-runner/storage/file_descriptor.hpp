// An open file that is closed when its owner goes.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "api/result.hpp"
#include "evaljob-runner/storage/disk.hpp"

namespace evaljob {

class FileDescriptor {
public:
    explicit FileDescriptor(int descriptor = -1) : descriptor_(descriptor) {}
    FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(other.release()) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~FileDescriptor() {
        if (descriptor_ >= 0) disk::close(descriptor_);
    }
    explicit operator bool() const { return descriptor_ >= 0; }
    int get() const { return descriptor_; }
    int release() { return std::exchange(descriptor_, -1); }

private:
    int descriptor_;
};

/// All of `bytes`, however often the kernel takes a part; fails with WriteFailed or NoSpace, naming
/// `path`.
Result<void> write_all(int descriptor, std::string_view bytes, const std::string& path);

}  // namespace evaljob
