// A dataset of JSON lines. Held in memory is where each line lies; a line is read when it is asked for.
#pragma once

#include <memory>
#include <string>

#include "evaljob-runner/dataset/dataset.hpp"

namespace evaljob {

/// Reads the file once, for its digest and its lines. Fails with BadInput, naming field and file.
Result<std::unique_ptr<DatasetReader>> open_json_lines(const Dataset& dataset, const std::string& storage_root);

}  // namespace evaljob
