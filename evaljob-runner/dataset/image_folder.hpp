// Image files that a dataset names, which lie in the folder of its file or below.
#pragma once

#include <cstdint>
#include <string>

#include "api/result.hpp"

namespace evaljob {

inline constexpr std::uint64_t max_image_file_bytes = std::uint64_t{64} << 20U;

class ImageFolder {
public:
    /// `dataset`: its file.
    explicit ImageFolder(const std::string& dataset);

    /// Fails with BadInput: the path leads out of the folder, there is no such file, or one of more than
    /// max_image_file_bytes. What a dataset names may be sent to a server, so nothing else of this machine may be.
    Result<std::string> read(const std::string& path) const;

private:
    std::string folder_;
};

}  // namespace evaljob
