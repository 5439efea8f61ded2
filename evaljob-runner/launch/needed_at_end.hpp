// What a run needs only when all is evaluated, looked for before its first sample.
#pragma once

#include <string>

#include "api/contract.hpp"
#include "api/evaljob.hpp"

namespace evaljob {

/// The scorers' programs and folders. With eval the merge's Pod has the image of the nodes' container runner, its
/// variables and the volume: what is missing here is missing there. Fails with BadInput, as the merge would.
Result<void> look_up_scorers(const Eval& eval, const std::string& storage_root, const Environment& environment);

}  // namespace evaljob
