// $(NAME) in the texts of a container, as Kubernetes expands it in `value` of a variable, in command and in args; and
// the text that is expanded to a given one. Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/contract.hpp"

namespace evaljob {

/// $(NAME) becomes the variable's value, and stays as it is where there is none; $$ becomes $. Byte by byte as the
/// kubelet does it, its one oddity included: a byte beyond ASCII right behind a $ is taken for a character of its own.
std::string expand(std::string_view text, const Environment& variables);

/// The text that expand() makes `text` of, whatever it holds and whatever variables there are.
std::string unexpanded(std::string_view text);

}  // namespace evaljob
