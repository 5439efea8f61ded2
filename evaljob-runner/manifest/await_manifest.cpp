#include "evaljob-runner/manifest/await_manifest.hpp"

#include <utility>

#include "evaljob-runner/storage/files.hpp"
#include "evaljob-runner/storage/layout.hpp"

namespace evaljob {

namespace {

constexpr const char* one_volume = "; EVALJOB_SHARED_DIR must be one volume that all nodes mount";

Result<Manifest> read_manifest(const std::string& shared_dir, const std::string& identity) {
    const std::string path = layout::manifest(shared_dir);
    const auto text = read_file(path, layout::max_manifest_bytes);
    if (!text && text.error().reason == "NotFound") return fail("ContractViolated", text.error().message + one_volume);
    if (!text) return tl::unexpected(text.error());
    auto decoded = decode_manifest(*text);
    if (!decoded) return fail("BadInput", path + ": " + decoded.error().message);
    if (decoded->identity != identity)
        return fail("ContractViolated", path + ": is not the coordinator's manifest" + one_volume);
    return std::move(decoded->manifest);
}

}  // namespace

Result<Manifest> await_manifest(const std::string& shared_dir, const std::string& identity,
                                const std::function<bool()>& wait) {
    auto manifest = read_manifest(shared_dir, identity);
    while (!manifest && wait()) manifest = read_manifest(shared_dir, identity);
    return manifest;
}

}  // namespace evaljob
