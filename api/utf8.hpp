// Bytes that may or may not be UTF-8. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "api/json_fwd.hpp"

namespace evaljob {

/// How many bytes the character in front has; 0 when they are none. `bytes` is not empty.
std::size_t character_length(std::string_view bytes);

/// As Unicode has it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(std::string_view bytes);

/// What a model wrote, as JSON can hold it without a loss: a string where the bytes are UTF-8, else
/// {"base64": …} of the bytes.
Json text_to_json(const std::string& bytes);

/// The bytes of a value that text_to_json() makes; false for every other value.
bool text_from_json(const Json& value, std::string& bytes);

/// Appends a code point; a surrogate, which UTF-8 does not have, as the three bytes that it would be.
void append_code_point(std::string& bytes, char32_t code_point);

}  // namespace evaljob
