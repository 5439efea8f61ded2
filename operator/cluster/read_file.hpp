// Small files whole: kubeconfigs, certificates, tokens.
#pragma once

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "api/result.hpp"

namespace evaljob::cluster {

/// Fails with ReadFailed, naming the file; a file of more than 4 MiB is none of ours.
inline Result<std::string> read_file(const std::string& path) {
    constexpr std::size_t most_bytes = 4U << 20U;
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail("ReadFailed", path + ": " + std::strerror(errno));
    std::string text(most_bytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return fail("ReadFailed", path + ": " + std::strerror(errno));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > most_bytes) return fail("ReadFailed", path + ": is larger than 4 MiB");
    return text;
}

}  // namespace evaljob::cluster
