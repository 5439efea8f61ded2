// Precompiled for every target but the engine (libtorch brings a fmt of its own). Nobody includes this by name: each
// file names what it needs, so that it also compiles without.
#pragma once

#include <utility>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>
