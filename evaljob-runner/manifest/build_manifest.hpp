// The manifest of an evaluation, from the EvalJob and the files that it names.
#pragma once

#include <string>

#include "api/evaljob.hpp"
#include "api/manifest.hpp"

namespace evaljob {

/// `device_kind` ("cpu" or "cuda") is part of the identity: another kind gives other bytes.
/// Fails with BadInput, naming field and file.
Result<Manifest> build_manifest(const Eval& eval, const std::string& storage_root, const std::string& device_kind);

/// A Command's part of the manifest's config: its words, and the digests of small files that they name.
Result<Json> command_config(const Model& model, const std::string& storage_root);

/// The model's digest; fails with BadInput when the file is missing or not the one that the EvalJob names.
Result<std::string> model_digest(const Model& model, const std::string& storage_root);

}  // namespace evaljob
