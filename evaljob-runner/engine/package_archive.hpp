// An AOTInductor package (.pt2) is a zip archive in PyTorch's layout: a shared object with what belongs to it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "api/result.hpp"

namespace evaljob {

/// A folder that is removed with its content.
class TemporaryFolder {
public:
    /// Fails with WriteFailed.
    static Result<TemporaryFolder> make();
    TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
    TemporaryFolder& operator=(TemporaryFolder&& other) noexcept {
        std::swap(path_, other.path_);
        return *this;
    }
    ~TemporaryFolder();

    const std::string& path() const { return path_; }

private:
    explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

/// One program of a package.
struct ProgramFiles {
    std::string folder;
    std::string library;   // path of the shared object
    std::string metadata;  // JSON
};

struct PackageFiles {
    std::shared_ptr<const TemporaryFolder> folder;  // that of the programs' folders
    std::string description;                        // the extra file evaljob.json; empty: none
    std::map<std::string, ProgramFiles> programs;   // `model`; with a description `prefill` and `step`
};

/// Writes the files of the package's programs into a folder of its own. Fails with BadInput, whose message goes on from
/// "FILE ", when these bytes are none; with WriteFailed or NoSpace.
Result<PackageFiles> unpack_package(std::string_view bytes);

}  // namespace evaljob
