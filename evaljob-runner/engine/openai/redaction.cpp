#include "evaljob-runner/engine/openai/redaction.hpp"

#include <algorithm>
#include <utility>

#include "api/base64.hpp"

namespace evaljob::openai {

namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Whether the two characters at `at` are the number of `c`.
bool is_hex_of(std::string_view text, std::size_t at, char c) {
    if (at + 2 > text.size()) return false;
    const int high = hex_digit(text[at]);
    const int low = hex_digit(text[at + 1]);
    return high >= 0 && low >= 0 && high * 16 + low == static_cast<unsigned char>(c);
}

/// The length of an escaped `c` at `at`: %2F, \/, \u002f, and with more backslashes as JSON within JSON has it; 0:
/// none.
std::size_t escaped(std::string_view text, std::size_t at, char c) {
    if (at >= text.size()) return 0;
    if (text[at] == '%') return is_hex_of(text, at + 1, c) ? 3 : 0;
    if (text[at] != '\\') return 0;
    if (c == '\\') return at + 1 < text.size() && text[at + 1] == '\\' ? 2 : 0;
    const std::size_t behind = std::min(text.find_first_not_of('\\', at), text.size());
    if (text.substr(behind, 3) == "u00" && is_hex_of(text, behind + 3, c)) return behind + 5 - at;
    const bool may_be = c == '"' || c == '/';
    return may_be && behind < text.size() && text[behind] == c ? behind + 1 - at : 0;
}

/// Where what stands for the secret at `at` ends; npos: nothing does.
std::size_t end_of(std::string_view secret, std::string_view text, std::size_t at) {
    for (std::size_t i = 0; i < secret.size(); ++i) {
        const char c = secret[i];
        const std::size_t length = escaped(text, at, c);
        const bool is_itself = at < text.size() && text[at] == c;
        if (length == 0 && !is_itself) return std::string_view::npos;
        if (length > 0 && is_itself) {  // a backslash or a % may be either
            const std::size_t end = end_of(secret.substr(i + 1), text, at + length);
            if (end != std::string_view::npos) return end;
            ++at;
        } else {
            at += length > 0 ? length : 1;
        }
    }
    return at;
}

bool is_of_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool is_word(std::string_view text, std::size_t begin, std::size_t end) {
    return (begin == 0 || !is_of_word(text[begin - 1])) && (end == text.size() || !is_of_word(text[end]));
}

/// The part of base64 that the secret alone decides, with `before` bytes before it.
std::string within_base64(const std::string& secret, std::size_t before) {
    std::string text = base64_encode(std::string(before, ' ') + secret);
    constexpr std::size_t of_others[] = {0, 2, 3};
    constexpr std::size_t behind[] = {0, 3, 2};
    text.resize(text.size() - behind[(before + secret.size()) % 3]);
    return text.substr(of_others[before]);
}

}  // namespace

void Redaction::add(const std::string& secret) {
    if (secret.empty()) return;
    const bool long_one = secret.size() >= least_in_answers;
    add_form(secret, long_one);
    if (secret.size() < least_inside_words) return;
    for (std::size_t before = 0; before < 3; ++before) {
        std::string form = within_base64(secret, before);
        add_form(form, long_one);
        std::replace(form.begin(), form.end(), '+', '-');  // as URLs have it
        std::replace(form.begin(), form.end(), '/', '_');
        add_form(std::move(form), long_one);
    }
}

void Redaction::add_header(const std::string& value) {
    add(value);
    const std::size_t space = value.find(' ');
    if (space == std::string::npos) return;
    const std::string behind = value.substr(space + 1);
    add(behind);
    std::string scheme = value.substr(0, space);
    for (char& c : scheme) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const auto pair = scheme == "basic" ? base64_decode(behind) : std::nullopt;
    if (!pair) return;
    add(*pair);
    if (const std::size_t colon = pair->find(':'); colon != std::string::npos) add(pair->substr(colon + 1));
}

void Redaction::add_form(std::string text, bool long_one) {
    const bool known = std::any_of(secrets_.begin(), secrets_.end(), [&](const Secret& s) { return s.text == text; });
    if (known || text.empty()) return;
    for (const char c : {text.front(), '\\', '%'}) begins_[static_cast<unsigned char>(c)] = true;
    secrets_.push_back({std::move(text), long_one});
    std::stable_sort(secrets_.begin(), secrets_.end(),
                     [](const Secret& a, const Secret& b) { return a.text.size() > b.text.size(); });
}

std::size_t Redaction::found(std::string_view text, std::size_t at, bool only_long) const {
    if (!begins_[static_cast<unsigned char>(text[at])]) return 0;
    for (const Secret& secret : secrets_) {
        if (only_long && !secret.long_one) continue;
        const std::size_t end = end_of(secret.text, text, at);
        if (end == std::string_view::npos) continue;
        if (secret.text.size() >= least_inside_words || is_word(text, at, end)) return end - at;
    }
    return 0;
}

std::string Redaction::cut(std::string text) const {
    std::string without;
    std::size_t kept = 0;  // up to here it is in `without`
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = found(text, at, false);
        if (length == 0) {
            ++at;
            continue;
        }
        without.append(text, kept, at - kept).append(cut_out);
        at += length;
        kept = at;
    }
    if (kept == 0) return text;
    return without.append(text, kept);
}

bool Redaction::is_in_answer(std::string_view text) const {
    for (std::size_t at = 0; at < text.size(); ++at)
        if (found(text, at, true) > 0) return true;
    return false;
}

}  // namespace evaljob::openai
