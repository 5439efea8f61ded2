// The examples' networks as packages of AOTInductor, compiled on this machine by the Python in EVALJOB_TORCH_PYTHON,
// which
// `./dev test` brings. EVALJOB_REQUIRE_TORCHRUN: it must be there.
#pragma once

#include <string>
#include <vector>

#include "tests/places.hpp"

namespace evaljob::e2e {

inline constexpr const char* example = EVALJOB_SOURCE_DIR "/examples/fashion-mnist/";

/// Why there are no packages; empty when they can be made.
std::string no_packages();

/// The path of the package that export.py of an example's folder makes with these options; made once for this script,
/// model and Python. Empty, and a failure of the test, when that fails.
std::string package(const std::vector<std::string>& options = {}, const std::string& of = example);

}  // namespace evaljob::e2e
