#include "evaljob-runner/merge/characters.hpp"

#include <utf8proc.h>

#include "api/utf8.hpp"

namespace evaljob {

namespace {

constexpr char32_t no_character = 0x110000;  // and above: a byte that is no UTF-8

utf8proc_category_t category(char32_t c) {
    return c >= no_character ? UTF8PROC_CATEGORY_CN : utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

bool is_cased(char32_t c) {
    const auto kind = category(c);
    return kind == UTF8PROC_CATEGORY_LU || kind == UTF8PROC_CATEGORY_LL || kind == UTF8PROC_CATEGORY_LT;
}

bool is_case_ignorable(char32_t c) {
    const auto kind = category(c);
    return kind == UTF8PROC_CATEGORY_MN || kind == UTF8PROC_CATEGORY_ME || kind == UTF8PROC_CATEGORY_CF ||
           kind == UTF8PROC_CATEGORY_LM || kind == UTF8PROC_CATEGORY_SK || c == '\'' || c == '.' || c == ':' ||
           c == 0xB7 || c == 0x2019;
}

/// A capital sigma is ς at the end of a word and σ elsewhere.
bool ends_word(const Characters& text, std::size_t at) {
    std::size_t before = at;
    while (before > 0 && is_case_ignorable(text[before - 1])) --before;
    std::size_t behind = at + 1;
    while (behind < text.size() && is_case_ignorable(text[behind])) ++behind;
    return before > 0 && is_cased(text[before - 1]) && (behind == text.size() || !is_cased(text[behind]));
}

}  // namespace

Characters characters_of(std::string_view text) {
    Characters characters;
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
    for (std::size_t at = 0; at < text.size();) {
        utf8proc_int32_t point = 0;
        const auto length = utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &point);
        characters.push_back(length > 0 ? static_cast<char32_t>(point) : no_character + bytes[at]);
        at += length > 0 ? static_cast<std::size_t>(length) : 1;
    }
    return characters;
}

void append_character(std::string& text, char32_t character) {
    if (character >= no_character)
        text += static_cast<char>(character - no_character);
    else
        append_code_point(text, character);
}

Characters lower_case(const Characters& text) {
    Characters lower;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == 0x130) {  // İ: the one character whose lower case is two
            lower.insert(lower.end(), {U'i', U'\u0307'});
        } else if (text[i] == 0x3A3) {
            lower.push_back(ends_word(text, i) ? U'\u03C2' : U'\u03C3');
        } else if (text[i] >= no_character) {
            lower.push_back(text[i]);
        } else {
            lower.push_back(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(text[i]))));
        }
    }
    return lower;
}

bool is_white_space(char32_t c) {
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || c == 0x85 || c == 0x2028 || c == 0x2029 ||
           category(c) == UTF8PROC_CATEGORY_ZS;
}

bool is_digit(char32_t c) { return category(c) == UTF8PROC_CATEGORY_ND; }

bool is_part_of_word(char32_t c) {
    const auto kind = category(c);
    return c == '_' || (kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO) ||
           (kind >= UTF8PROC_CATEGORY_ND && kind <= UTF8PROC_CATEGORY_NO);
}

}  // namespace evaljob
