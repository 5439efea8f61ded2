// Where a text has lines of its own, or goes to a program as JSON, printable() is not the whole answer. Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/json_fwd.hpp"

namespace evaljob {

/// Each line of the text printable. For texts whose lines are ours, as those of a file's violations.
std::string printable_lines(std::string_view text);

/// Compact JSON on one line that is safe to look at: where anything in it acts instead of being seen, it is written
/// with ASCII's characters alone, which JSON reads as the same. Bytes that are no UTF-8 are replaced.
std::string json_line(const Json& object);

}  // namespace evaljob
