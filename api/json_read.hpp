// Reads members of JSON values that nobody has validated. Lenient: what is missing, or of another type, is as good as
// absent. Never throws.
#pragma once

#include <cstdint>
#include <string>

#include "api/json_fwd.hpp"

namespace evaljob {

/// object[key]; null where there is no such member, or `object` is no object.
const Json& member(const Json& object, const char* key);

/// object[key] where it is of that type; else empty, 0, false.
std::string text_of(const Json& object, const char* key);
std::int64_t number_of(const Json& object, const char* key);
bool flag_of(const Json& object, const char* key);

}  // namespace evaljob
