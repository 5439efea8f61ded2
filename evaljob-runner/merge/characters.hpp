// Characters of a text as Python takes them: lower case, white space, digits, parts of words. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace evaljob {

using Characters = std::vector<char32_t>;

/// A byte that is no UTF-8 becomes a character of its own beyond Unicode, which has no property.
Characters characters_of(std::string_view text);

/// The other way: characters_of() and then this is the same text.
void append_character(std::string& text, char32_t character);

/// As str.lower() has it.
Characters lower_case(const Characters& text);

/// What str.isspace() takes for white space, and so str.split() and str.strip() do.
bool is_white_space(char32_t c);

/// What \d takes for a digit.
bool is_digit(char32_t c);

/// What \w takes for a part of a word.
bool is_part_of_word(char32_t c);

}  // namespace evaljob
