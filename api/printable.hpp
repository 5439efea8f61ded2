// Texts of others where people read them: a dataset, a server or a peer cannot move the cursor, colour a line, or write
// one of its own. Pure.
#pragma once

#include <string>
#include <string_view>

namespace evaljob {

/// The text with everything that acts instead of being seen written out: control characters (C0, DEL, C1), line and
/// paragraph separators and what turns the direction of writing as \n, \x1b, \u202e; bytes that are no UTF-8 as \xff.
/// For eyes alone: a backslash stays as it is.
std::string printable(std::string_view text);

}  // namespace evaljob
