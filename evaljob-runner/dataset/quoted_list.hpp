// A list of texts as Python or JSON writes it, in a cell of a table: ['CENTRE', "centre's"]. Pure; the cell is
// untrusted.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace evaljob {

/// The texts, their escapes resolved; nothing when the cell is not wholly such a list: empty, with a number or None in
/// it, without quotes, a tuple, a comma behind the last, an escape that neither language knows.
std::optional<std::vector<std::string>> quoted_list(std::string_view cell);

}  // namespace evaljob
