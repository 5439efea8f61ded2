// What a plain YAML scalar means, and JSON text with the checks that nlohmann leaves out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/json.hpp"

namespace evaljob {

/// A value, or why the scalar is refused ("010 is eight in YAML 1.1 and ten in 1.2; …").
struct Scalar {
    Json value;
    std::string refusal;
};

Scalar read_plain_scalar(const std::string& text);

/// True when the text without quotes is this very string for every YAML reader.
bool is_plainly_a_string(const std::string& text);

/// `value` when the text is JSON without repeated keys, within the limits; `refusal` when it is JSON that breaks them;
/// neither when it is no JSON.
struct JsonText {
    std::optional<Json> value;
    std::string refusal;
};
JsonText parse_json_text(std::string_view text);

}  // namespace evaljob
