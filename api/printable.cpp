#include "api/printable.hpp"

#include "api/utf8.hpp"

namespace evaljob {

namespace {

std::string escape(char letter, unsigned value, int digits) {
    std::string text{'\\', letter};
    for (int digit = digits - 1; digit >= 0; --digit) text += "0123456789abcdef"[(value >> (4U * digit)) & 0xFU];
    return text;
}

std::string escaped_byte(unsigned char byte) {
    if (byte == '\n') return "\\n";
    if (byte == '\r') return "\\r";
    if (byte == '\t') return "\\t";
    return escape('x', byte, 2);
}

/// Of those with two or three bytes: longer characters have none that acts.
unsigned code_point_of(std::string_view character) {
    const auto bits = [&](std::size_t at) { return static_cast<unsigned char>(character[at]) & 0x3FU; };
    if (character.size() == 2) return (bits(0) & 0x1FU) << 6U | bits(1);
    if (character.size() == 3) return (bits(0) & 0x0FU) << 12U | bits(1) << 6U | bits(2);
    return 0;
}

bool acts(unsigned code_point) {
    const auto within = [&](unsigned first, unsigned last) { return code_point >= first && code_point <= last; };
    return within(0x80, 0x9F) ||                                                       // C1
           within(0x2028, 0x2029) ||                                                   // ends of lines and paragraphs
           code_point == 0x61C || within(0x200E, 0x200F) || within(0x202A, 0x202E) ||  // directions
           within(0x2066, 0x2069);
}

}  // namespace

std::string printable(std::string_view text) {
    std::string shown;
    shown.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = character_length(text);
        const auto first = static_cast<unsigned char>(text.front());
        const unsigned code_point = code_point_of(text.substr(0, length));
        if (length == 0 || first < 0x20 || first == 0x7F)
            shown += escaped_byte(first);
        else if (acts(code_point))
            shown += escape('u', code_point, 4);
        else
            shown += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return shown;
}

}  // namespace evaljob
