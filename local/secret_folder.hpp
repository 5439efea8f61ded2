// The run's Secret as the container finds it: files of mode 0400 in a folder of the Pod's own. A process has no file
// system of its own in which a volume could be mounted, so the container is told the folder.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "api/result.hpp"

namespace evaljob::local {

/// A folder that is gone, with all that lies in it, when this is.
class SecretFolder {
public:
    SecretFolder() = default;
    SecretFolder(SecretFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    SecretFolder& operator=(SecretFolder&& other) noexcept {
        std::swap(path_, other.path_);
        return *this;
    }
    ~SecretFolder();

    /// Fails with NotWritten, naming the file.
    static Result<SecretFolder> make(const std::filesystem::path& path,
                                     const std::map<std::string, std::string>& files);

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace evaljob::local
