#include "evaljob-runner/dataset/image_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace fs = std::filesystem;

ImageFolder::ImageFolder(const std::string& dataset) : folder_(fs::path(dataset).parent_path().string()) {}

Result<std::string> ImageFolder::read(const std::string& path) const {
    const auto bad = [&](const std::string& what) { return fail("BadInput", "image_path " + path + ": " + what); };
    std::error_code error;
    const fs::path folder = fs::canonical(folder_.empty() ? "." : folder_, error);
    const fs::path file = error ? fs::path() : fs::canonical(folder / path, error);
    if (error) return bad(error.message() + "; it is looked for in " + folder_);
    // Links are resolved by now.
    if (std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first != folder.end())
        return bad("leads out of the dataset's folder " + folder.string());
    if (!fs::is_regular_file(file, error)) return bad("is no file");
    auto bytes = read_file(file.string(), max_image_file_bytes);
    if (!bytes && bytes.error().retry) return tl::unexpected(bytes.error());
    if (!bytes) return bad(bytes.error().message);
    return bytes;
}

}  // namespace evaljob
