// A dataset's samples as a manifest has them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/evaljob.hpp"
#include "api/manifest.hpp"

namespace evaljob {

/// Adds the samples under the number `index`, and gives the dataset's entry for the manifest's config. Fails with
/// BadInput, naming field and file. How many tokens a sample has is found out only where somebody asks for it.
Result<Json> add_samples(const Dataset& dataset, std::uint32_t index, const std::string& storage_root,
                         Manifest& manifest, bool count_tokens = false);

/// What a person should know of the manifest's samples before the run, a sentence each.
std::vector<std::string> dataset_notes(const Manifest& manifest);

}  // namespace evaljob
