#include "api/expansion.hpp"

namespace evaljob {
namespace {

/// As the kubelet's string(byte): the code point of this number, in UTF-8.
void append_as_code_point(std::string& to, char byte) {
    const auto number = static_cast<unsigned char>(byte);
    if (number < 0x80U) {
        to += byte;
        return;
    }
    to += static_cast<char>(0xC0U | (number >> 6U));
    to += static_cast<char>(0x80U | (number & 0x3FU));
}

}  // namespace

std::string expand(std::string_view text, const Environment& variables) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '$' || i + 1 == text.size()) {
            result += text[i];
            continue;
        }
        const char next = text[++i];
        const std::size_t end = next == '(' ? text.find(')', i) : std::string_view::npos;
        if (next == '$') {
            result += '$';
        } else if (end != std::string_view::npos) {
            const std::string name(text.substr(i + 1, end - i - 1));
            const auto found = variables.find(name);
            result += found == variables.end() ? "$(" + name + ")" : found->second;
            i = end;
        } else {
            result += '$';
            append_as_code_point(result, next);
        }
    }
    return result;
}

std::string unexpanded(std::string_view text) {
    std::string result;
    for (const char c : text) result += c == '$' ? std::string("$$") : std::string(1, c);
    return result;
}

}  // namespace evaljob
