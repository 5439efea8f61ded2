#include "api/json_members.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "api/utf8.hpp"

namespace evaljob {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<unsigned> hex_digit(char c) {
    if (is_digit(c)) return static_cast<unsigned>(c - '0');
    const char lower = static_cast<char>(c | 0x20);
    if (lower >= 'a' && lower <= 'f') return static_cast<unsigned>(lower - 'a' + 10);
    return std::nullopt;
}

/// A \uXXXX in front, as a number.
std::optional<char32_t> escaped_unit(std::string_view text) {
    if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return std::nullopt;
    char32_t unit = 0;
    for (const char c : text.substr(2, 4)) {
        const auto digit = hex_digit(c);
        if (!digit) return std::nullopt;
        unit = unit << 4U | *digit;
    }
    return unit;
}

/// Walks over JSON without building it. Every function leaves `rest_` behind what it has read, or gives false.
class Scanner {
public:
    Scanner(std::string_view text, Strictness strictness) : rest_(text), strictness_(strictness) {}

    bool object(std::vector<JsonMember>& members, std::string& why) {
        skip_space();
        if (!take('{')) return false;
        skip_space();
        if (take('}')) return at_end();
        std::set<std::string> keys;
        for (;;) {
            JsonMember member;
            skip_space();
            if (!span(member.key_text, &Scanner::string)) return false;
            member.key = *json_string_bytes(member.key_text);
            if (!keys.insert(member.key).second) {
                why = "has a key twice: " + std::string(member.key_text.substr(0, 80));
                return false;
            }
            skip_space();
            if (!take(':')) return false;
            skip_space();
            if (!span(member.value, &Scanner::value)) return false;
            members.push_back(std::move(member));
            skip_space();
            if (take(',')) continue;
            return take('}') && at_end();
        }
    }

    /// Of an array that is known to be one.
    bool first_item(std::string_view& item) {
        if (!take('[')) return false;
        skip_space();
        return span(item, &Scanner::value);
    }

    bool items(std::vector<std::string_view>& items) {
        if (!take('[')) return false;
        skip_space();
        if (take(']')) return true;
        for (;;) {
            if (!span(items.emplace_back(), &Scanner::value)) return false;
            skip_space();
            if (!take(',')) return take(']');
            skip_space();
        }
    }

private:
    bool at_end() {
        skip_space();
        return rest_.empty();
    }

    void skip_space() {
        const auto end = rest_.find_first_not_of(" \t\r\n");
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
    }

    bool take(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }

    bool take_word(std::string_view word) {
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }

    bool span(std::string_view& what, bool (Scanner::*read)()) {
        const std::string_view before = rest_;
        if (!(this->*read)()) return false;
        what = before.substr(0, before.size() - rest_.size());
        return true;
    }

    bool value() {
        if (rest_.empty()) return false;
        switch (rest_.front()) {
            case '{':
            case '[':
                return container();
            case '"':
                return string();
            case 't':
                return take_word("true");
            case 'f':
                return take_word("false");
            case 'n':
                return take_word("null");
            default:
                return number();
        }
    }

    /// Recursion is as deep as the limit and no deeper.
    bool container() {
        if (++depth_ >= max_json_depth) return false;
        const char close = rest_.front() == '{' ? '}' : ']';
        rest_.remove_prefix(1);
        skip_space();
        bool good = take(close);
        while (!good) {
            if (close == '}') {
                if (!string()) return false;
                skip_space();
                if (!take(':')) return false;
                skip_space();
            }
            if (!value()) return false;
            skip_space();
            good = take(close);
            if (!good && !take(',')) return false;
            if (!good) skip_space();
        }
        --depth_;
        return true;
    }

    bool string() {
        if (!take('"')) return false;
        for (;;) {
            std::size_t at = 0;
            while (at < rest_.size() && rest_[at] != '"' && rest_[at] != '\\') {
                if (strictness_ == Strictness::Json && static_cast<unsigned char>(rest_[at]) < 0x20) return false;
                ++at;
            }
            rest_.remove_prefix(at);
            if (rest_.empty()) return false;
            if (take('"')) return true;
            if (escaped_unit(rest_)) {
                rest_.remove_prefix(6);
            } else if (rest_.size() > 1 && std::string_view("\"\\/bfnrt").find(rest_[1]) != std::string_view::npos) {
                rest_.remove_prefix(2);
            } else {
                return false;
            }
        }
    }

    bool digits() {
        std::size_t count = 0;
        while (count < rest_.size() && is_digit(rest_[count])) ++count;
        rest_.remove_prefix(count);
        return count > 0;
    }

    /// NaN, Infinity and -Infinity are no JSON, and much that writes JSON writes them.
    bool number() {
        if (strictness_ == Strictness::AnyBytes &&
            (take_word("NaN") || take_word("Infinity") || take_word("-Infinity")))
            return true;
        take('-');
        if (!take('0') && !digits()) return false;
        if (take('.') && !digits()) return false;
        if (take('e') || take('E')) {
            if (!take('+')) take('-');
            return digits();
        }
        return true;
    }

    std::string_view rest_;
    Strictness strictness_;
    std::size_t depth_ = 0;
};

}  // namespace

Result<std::vector<JsonMember>> json_members(std::string_view text, Strictness strictness) {
    if (strictness == Strictness::Json && !is_utf8(text)) return fail("Damaged", "is not UTF-8 text");
    std::vector<JsonMember> members;
    std::string why = "is no JSON object, or nested deeper than " + std::to_string(max_json_depth) + " levels";
    if (!Scanner(text, strictness).object(members, why)) return fail("Damaged", why);
    return members;
}

std::optional<std::string_view> json_first_item(std::string_view value, Strictness strictness) {
    std::string_view item;
    if (!Scanner(value, strictness).first_item(item)) return std::nullopt;
    return item;
}

std::optional<std::vector<std::string_view>> json_items(std::string_view value, Strictness strictness) {
    std::vector<std::string_view> items;
    if (!Scanner(value, strictness).items(items)) return std::nullopt;
    return items;
}

std::optional<std::string> json_string_bytes(std::string_view value) {
    if (value.size() < 2 || value.front() != '"') return std::nullopt;
    value = value.substr(1, value.size() - 2);
    std::string bytes;
    while (!value.empty()) {
        const std::size_t plain = std::min(value.find('\\'), value.size());
        bytes += value.substr(0, plain);
        value.remove_prefix(plain);
        if (value.size() < 2) break;
        if (const auto unit = escaped_unit(value)) {
            value.remove_prefix(6);
            const auto low = *unit >= 0xD800 && *unit < 0xDC00 ? escaped_unit(value) : std::nullopt;
            const bool pair = low && *low >= 0xDC00 && *low < 0xE000;
            append_code_point(bytes, pair ? 0x10000 + ((*unit - 0xD800) << 10U) + (*low - 0xDC00) : *unit);
            if (pair) value.remove_prefix(6);
            continue;
        }
        constexpr std::string_view escapes = "bfnrt";
        const auto control = escapes.find(value[1]);
        bytes += control == std::string_view::npos ? value[1] : "\b\f\n\r\t"[control];
        value.remove_prefix(2);
    }
    return bytes;
}

}  // namespace evaljob
