#pragma once

#include <nlohmann/json_fwd.hpp>

namespace evaljob {

using Json = nlohmann::json;

}  // namespace evaljob
