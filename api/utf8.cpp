#include "api/utf8.hpp"

#include <cstdint>

#include "api/base64.hpp"
#include "api/json.hpp"

namespace evaljob {

std::size_t character_length(std::string_view bytes) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const unsigned first = at(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || bytes.size() < length) return 0;
    // The second byte tells overlong forms, surrogates and what lies beyond the last code point.
    const unsigned least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const unsigned most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (at(1) < least || at(1) > most) return 0;
    for (std::size_t i = 2; i < length; ++i)
        if ((at(i) & 0xC0U) != 0x80U) return 0;
    return length;
}

bool is_utf8(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t length = character_length(bytes);
        if (length == 0) return false;
        bytes.remove_prefix(length);
    }
    return true;
}

Json text_to_json(const std::string& bytes) {
    if (is_utf8(bytes)) return bytes;
    return {{"base64", base64_encode(bytes)}};
}

bool text_from_json(const Json& value, std::string& bytes) {
    if (value.is_string()) {
        bytes = value.get<std::string>();
        return true;
    }
    if (!value.is_object() || value.size() != 1 || !value.contains("base64") || !value["base64"].is_string())
        return false;
    auto decoded = base64_decode(value["base64"].get<std::string>());
    if (decoded) bytes = std::move(*decoded);
    return decoded.has_value();
}

void append_code_point(std::string& bytes, char32_t code_point) {
    const auto put = [&](char32_t byte) { bytes += static_cast<char>(byte); };
    if (code_point < 0x80) return put(code_point);
    if (code_point < 0x800) {
        put(0xC0U | code_point >> 6U);
    } else {
        if (code_point < 0x10000) {
            put(0xE0U | code_point >> 12U);
        } else {
            put(0xF0U | code_point >> 18U);
            put(0x80U | (code_point >> 12U & 0x3FU));
        }
        put(0x80U | (code_point >> 6U & 0x3FU));
    }
    put(0x80U | (code_point & 0x3FU));
}

}  // namespace evaljob
