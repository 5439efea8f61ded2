#include "evaljob-runner/engine/model_file.hpp"

#include <cstdint>

#include "api/digest.hpp"
#include "evaljob-runner/dataset/dataset.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

constexpr std::uint64_t max_model_bytes = std::uint64_t{64} << 30;

}  // namespace

Result<std::string> read_model_file(const std::string& path, const std::string& sha256) {
    auto bytes = read_file(path, max_model_bytes);
    if (!bytes) return fail("BadInput", unreadable("spec.eval.model.path", bytes.error()));
    if (!sha256.empty() && sha256_hex(*bytes) != sha256) {
        return fail("BadInput", "spec.eval.model.path: " + path + " is not the file that the manifest names (sha256 " +
                                    sha256 + "); every node must see the same files");
    }
    return bytes;
}

}  // namespace evaljob
