// The members of a JSON object as they stand in its text: for values that are handed on without a change, and for text
// that a program wrote with bytes in it that are no Unicode. Pure; the text is untrusted.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json_text.hpp"
#include "api/result.hpp"

namespace evaljob {

/// Views into the text that was read.
struct JsonMember {
    std::string key;            // decoded
    std::string_view key_text;  // with its quotes
    std::string_view value;     // one JSON value, without white space around it
};

enum class Strictness {
    Json,     // RFC 8259, but that \ud800 may stand alone
    AnyBytes  // strings may hold any byte but '"' and '\', whatever its encoding; NaN and Infinity are numbers
};

/// Fails with Damaged: no JSON object, nested deeper than max_json_depth, or a key twice.
Result<std::vector<JsonMember>> json_members(std::string_view text, Strictness strictness);

/// The first item of a JSON array that json_members() has found, as it stands there; nothing when the value is no
/// array, or an empty one.
std::optional<std::string_view> json_first_item(std::string_view value, Strictness strictness);

/// All items of such an array; nothing when the value is no array.
std::optional<std::vector<std::string_view>> json_items(std::string_view value, Strictness strictness);

/// The bytes of a JSON string that json_members() has found; nothing when the value is no string. Escapes become UTF-8,
/// a surrogate that stands alone the three bytes that it would be; all else stays as it is.
std::optional<std::string> json_string_bytes(std::string_view value);

}  // namespace evaljob
