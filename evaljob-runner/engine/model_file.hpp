// The model's file as the engines of libtorch take it.
#pragma once

#include <string>

#include "api/result.hpp"

namespace evaljob {

/// The bytes of the file, which must be the one that the manifest names (`sha256`; empty: not checked). Fails with
/// BadInput, naming the file.
Result<std::string> read_model_file(const std::string& path, const std::string& sha256);

}  // namespace evaljob
