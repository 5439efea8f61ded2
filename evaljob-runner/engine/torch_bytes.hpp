// Bytes in memory as libtorch reads an archive.
#pragma once

#include <caffe2/serialize/read_adapter_interface.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace evaljob {

/// libtorch's own adapter trusts the offsets that stand in the archive.
class TorchBytes : public caffe2::serialize::ReadAdapterInterface {
public:
    explicit TorchBytes(std::string_view bytes) : bytes_(bytes) {}
    std::size_t size() const override { return bytes_.size(); }
    std::size_t read(std::uint64_t position, void* to, std::size_t count, const char* /*what*/) const override {
        if (position >= bytes_.size()) return 0;
        const std::size_t there = std::min<std::size_t>(count, bytes_.size() - position);
        std::memcpy(to, bytes_.data() + position, there);
        return there;
    }

private:
    std::string_view bytes_;
};

}  // namespace evaljob
