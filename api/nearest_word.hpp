// What a person may have meant by a word that is none of those there are. Pure.
#pragma once

#include <string>
#include <vector>

namespace evaljob {

/// The candidate nearest to the word if it is near enough to be what was meant, else empty.
std::string nearest_word(const std::string& word, const std::vector<std::string>& candidates);

/// "there is no command valdate; did you mean validate?", or the list of them when nothing is near. `what`: "command".
std::string unknown_word(const std::string& what, const std::string& word, const std::vector<std::string>& known);

/// The same of a command line whose first word is neither an option nor a command, with what to do; else empty.
std::string mistyped_command(int argc, const char* const* argv, const std::vector<std::string>& commands);

}  // namespace evaljob
