#include "api/canonical_json.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "api/json_text.hpp"
#include "api/utf8.hpp"

namespace evaljob {

namespace {

bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

bool is_plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return is_plain(c); });
}

template <class Number>
void append_number(std::string& to, Number number) {
    std::array<char, 24> digits{};
    to.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

void append_items(std::string& to, const Json& array) {
    to += '[';
    for (auto item = array.begin(); item != array.end(); ++item) {
        if (item != array.begin()) to += ',';
        append_json(to, *item);
    }
    to += ']';
}

void append_members(std::string& to, const Json& object) {
    to += '{';
    for (auto member = object.begin(); member != object.end(); ++member) {
        if (member != object.begin()) to += ',';
        append_json_string(to, member.key());
        to += ':';
        append_json(to, *member);
    }
    to += '}';
}

/// Walks over text that is canonical beyond doubt: nearly all is. Where it stops short, the parser decides.
class PlainWalk {
public:
    explicit PlainWalk(std::string_view text) : text_(text) {}

    bool covers_all() { return value(0) && at_ == text_.size(); }

private:
    static constexpr int deepest = 16;

    bool value(int depth) {
        switch (front()) {
            case '"':
                return string();
            case '{':
                return depth < deepest && object(depth);
            case '[':
                return depth < deepest && array(depth);
            case 'n':
                return word("null");
            case 't':
                return word("true");
            case 'f':
                return word("false");
            default:
                return integer();
        }
    }

    bool array(int depth) {
        ++at_;
        if (take(']')) return true;
        do {
            if (!value(depth + 1)) return false;
        } while (take(','));
        return take(']');
    }

    bool object(int depth) {
        ++at_;
        if (take('}')) return true;
        std::optional<std::string_view> before;
        do {
            const std::size_t start = at_;
            if (!string()) return false;
            const std::string_view key = text_.substr(start + 1, at_ - start - 2);
            if (!is_plain(key) || (before && key <= *before) || !take(':') || !value(depth + 1)) return false;
            before = key;
        } while (take(','));
        return take('}');
    }

    bool string() {
        if (!take('"')) return false;
        const std::size_t start = at_;
        bool is_ascii = true;
        for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            const auto c = static_cast<unsigned char>(text_[at_]);
            if (c == '\\' &&
                (++at_ == text_.size() || std::string_view("\"\\bfnrt").find(text_[at_]) == std::string_view::npos))
                return false;
            if (c < 0x20) return false;
            is_ascii = is_ascii && c < 0x80;
        }
        return (is_ascii || is_utf8(text_.substr(start, at_ - start))) && take('"');
    }

    bool integer() {
        const bool negative = take('-');
        const std::size_t start = at_;
        while (front() >= '0' && front() <= '9') ++at_;
        const std::size_t digits = at_ - start;
        const bool canonical = digits == 1 ? !negative || text_[start] != '0' : digits > 0 && text_[start] != '0';
        return canonical && digits <= 18;
    }

    bool word(std::string_view expected) {
        if (text_.substr(at_, expected.size()) != expected) return false;
        at_ += expected.size();
        return true;
    }

    char front() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool take(char c) {
        if (front() != c) return false;
        ++at_;
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

bool is_canonical(std::string_view text) {
    if (PlainWalk(text).covers_all()) return true;
    const Json value = parse_json(text);
    if (value.is_discarded()) return false;
    std::string again;
    append_json(again, value);
    return again == text;
}

/// Where the item at the front ends: at a comma or bracket that is neither in a string nor within brackets.
std::size_t item_length(std::string_view text) {
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            ++depth;
        } else if (depth == 0 && (c == ',' || c == ']')) {
            return i;
        } else if (c == ']' || c == '}') {
            if (depth-- == 0) return text.size();
        }
    }
    return text.size();
}

}  // namespace

void append_json(std::string& to, const Json& value) {
    switch (value.type()) {
        case Json::value_t::string:
            return append_json_string(to, value.get_ref<const std::string&>());
        case Json::value_t::number_integer:
            return append_number(to, value.get<std::int64_t>());
        case Json::value_t::number_unsigned:
            return append_number(to, value.get<std::uint64_t>());
        case Json::value_t::array:
            return append_items(to, value);
        case Json::value_t::object:
            return append_members(to, value);
        default:
            to += value.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
}

void append_json_string(std::string& to, std::string_view string) {
    if (!is_plain(string)) {
        to += Json(string).dump(-1, ' ', false, Json::error_handler_t::replace);
        return;
    }
    to += '"';
    to += string;
    to += '"';
}

std::optional<CanonicalJson> CanonicalJson::from_text(std::string_view text) {
    if (!is_canonical(text)) return std::nullopt;
    CanonicalJson value;
    value.text_ = text;
    return value;
}

ArrayItems::ArrayItems(std::string_view text) : rest_(text) {
    if (!rest_.starts_with('[')) {
        state_ = State::Broken;
    } else if (rest_ == "[]") {
        state_ = State::Complete;
    } else {
        rest_.remove_prefix(1);
    }
}

std::optional<std::string_view> ArrayItems::next() {
    if (state_ != State::First && state_ != State::Further) return std::nullopt;
    const std::size_t length = item_length(rest_);
    if (length == rest_.size()) {
        state_ = State::Broken;
        return std::nullopt;
    }
    const std::string_view item = rest_.substr(0, length);
    const bool last = rest_[length] == ']';
    rest_.remove_prefix(length + 1);
    state_ = !last ? State::Further : rest_.empty() ? State::Complete : State::Broken;
    return item;
}

bool read_item(const std::optional<std::string_view>& item, std::string& string) {
    if (!item || item->size() < 2 || item->front() != '"') return false;
    if (const std::string_view inside = item->substr(1, item->size() - 2); item->back() == '"' && is_plain(inside)) {
        string = inside;
        return true;
    }
    if (!is_canonical(*item)) return false;
    string = parse_json(*item).get<std::string>();
    return true;
}

bool read_item(const std::optional<std::string_view>& item, Json& value) {
    std::uint64_t number = 0;
    if (read_item(item, number)) {
        value = number;
        return true;
    }
    if (!item || !is_canonical(*item)) return false;
    value = parse_json(*item);
    return true;
}

}  // namespace evaljob
