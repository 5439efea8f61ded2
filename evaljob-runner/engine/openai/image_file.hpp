// Image files of a dataset, which lie in the folder of its lines.
#pragma once

#include <string>

#include "api/result.hpp"

namespace evaljob::openai {

class ImageFolder {
public:
    /// `dataset`: the file of its lines.
    explicit ImageFolder(const std::string& dataset);

    /// Fails with BadInput: the path leads out of the folder, there is no such file, or one of more than
    /// max_image_bytes. What a dataset names is sent to a server, so nothing else of this machine may be.
    Result<std::string> read(const std::string& path) const;

private:
    std::string folder_;
};

}  // namespace evaljob::openai
