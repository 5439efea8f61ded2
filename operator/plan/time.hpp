// Time as the API writes it: RFC 3339, UTC, whole seconds. Pure.
#pragma once

#include <string>
#include <string_view>

#include "operator/plan/plan.hpp"

namespace evaljob {

std::string rfc3339(UnixSeconds time);

/// 0 when it is none. A fraction of a second is dropped; only UTC ("Z") is read, which is all that the API writes.
UnixSeconds from_rfc3339(std::string_view text);

}  // namespace evaljob
