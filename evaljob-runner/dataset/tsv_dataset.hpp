// A dataset of tab-separated values with images in them, in VLMEvalKit's form. Held in memory is where each row lies; a
// row is read when it is asked for.
#pragma once

#include <memory>
#include <string>

#include "evaljob-runner/dataset/dataset.hpp"

namespace evaljob {

/// Reads the file once, for its digest and its rows. Fails with BadInput, naming field and file.
Result<std::unique_ptr<DatasetReader>> open_tsv(const Dataset& dataset, const std::string& storage_root);

}  // namespace evaljob
