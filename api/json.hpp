// The JSON value of the whole project. Keys are sorted, so a dump is canonical: equal values give equal bytes.
// Headers that only name the type include json_fwd.hpp instead.
#pragma once

#include <nlohmann/json.hpp>

#include "api/json_fwd.hpp"
