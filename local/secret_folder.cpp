#include "local/secret_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace evaljob::local {
namespace {

tl::unexpected<Error> not_written(const std::filesystem::path& path) {
    return fail("NotWritten", path.string() + ": " + std::strerror(errno));
}

bool write_whole(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) return false;
        if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

Result<void> write_file(const std::filesystem::path& path, const std::string& content) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (descriptor < 0) return not_written(path);
    const bool whole = write_whole(descriptor, content);
    const int error = errno;
    ::close(descriptor);
    errno = error;
    if (!whole) return not_written(path);
    return {};
}

}  // namespace

SecretFolder::~SecretFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Result<SecretFolder> SecretFolder::make(const std::filesystem::path& path,
                                        const std::map<std::string, std::string>& files) {
    SecretFolder folder;
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (::mkdir(path.c_str(), 0700) != 0) return not_written(path);
    folder.path_ = path;
    for (const auto& [name, content] : files)
        if (auto written = write_file(path / name, content); !written) return tl::unexpected(written.error());
    return folder;
}

}  // namespace evaljob::local
