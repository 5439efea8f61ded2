// The manifest as a rank gets it.
#pragma once

#include <functional>
#include <string>

#include "api/manifest.hpp"

namespace evaljob {

/// The one of this identity, which the coordinator has settled. A network file system may show for half a minute what
/// was there before, or fail for a moment: so it is looked for again while `wait` says so, which waits a little and
/// says false when that is enough. At last it fails with ContractViolated where this is not the coordinator's folder,
/// with BadInput where the manifest is damaged, and with ReadFailed where another try may find the volume well again.
Result<Manifest> await_manifest(const std::string& shared_dir, const std::string& identity,
                                const std::function<bool()>& wait);

}  // namespace evaljob
