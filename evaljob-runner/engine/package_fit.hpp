// Whether an AOTInductor package, which is native code, was compiled for a machine like this one. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "api/result.hpp"

namespace evaljob {

/// What the compiler noted of its machine: AOTI_DEVICE_KEY and others.
using PackageMetadata = std::map<std::string, std::string>;

/// An object of texts; fails with BadInput.
Result<PackageMetadata> parse_package_metadata(std::string_view json);

/// What this rank computes on.
struct Machine {
    std::string platform;             // as Python's sys.platform: "linux"
    std::string machine;              // as uname -m: "x86_64"
    std::set<std::string> cpu_flags;  // as /proc/cpuinfo lists them: "avx2"
    std::string device;               // "cpu" or "cuda"
    int compute_capability = 0;       // of its GPU: 90 is 9.0
};

/// What the package was made for and this machine is not; none when it fits.
std::optional<std::string> misfit(const PackageMetadata& package, const Machine& machine);

}  // namespace evaljob
