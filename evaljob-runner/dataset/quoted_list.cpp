#include "evaljob-runner/dataset/quoted_list.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <utility>

#include "api/utf8.hpp"

namespace evaljob {

namespace {

constexpr char32_t past_unicode = 0x110000;

/// Every function leaves `rest_` behind what it has read, or gives nothing.
class Reader {
public:
    explicit Reader(std::string_view cell) : rest_(cell) {}

    std::optional<std::vector<std::string>> list() {
        std::vector<std::string> items;
        if (!take('[')) return std::nullopt;
        do {
            pass_over_blanks();
            auto item = text();
            if (!item) return std::nullopt;
            items.push_back(std::move(*item));
            pass_over_blanks();
        } while (take(','));
        if (!take(']') || !rest_.empty()) return std::nullopt;
        return items;
    }

private:
    bool take(char c) {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    void pass_over_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

    std::optional<std::string> text() {
        if (!rest_.starts_with('\'') && !rest_.starts_with('"')) return std::nullopt;
        const char quote = rest_.front();
        rest_.remove_prefix(1);
        std::string text;
        while (!take(quote)) {
            const std::size_t plain = plain_bytes(quote);
            text += rest_.substr(0, plain);
            rest_.remove_prefix(plain);
            if (rest_.starts_with(quote)) continue;
            if (!take('\\') || !escape(text, quote)) return std::nullopt;
        }
        return text;
    }

    /// Up to the quote, an escape, or a control character, which both languages escape.
    std::size_t plain_bytes(char quote) const {
        const auto end = std::find_if(rest_.begin(), rest_.end(), [quote](char c) {
            return c == quote || c == '\\' || static_cast<unsigned char>(c) < 0x20;
        });
        return static_cast<std::size_t>(end - rest_.begin());
    }

    bool escape(std::string& text, char quote) {
        if (rest_.empty()) return false;
        const char kind = rest_.front();
        if (kind >= '0' && kind <= '7') return append(text, octal());
        rest_.remove_prefix(1);
        constexpr std::string_view themselves = "'\"\\";
        constexpr std::string_view letters = "abfnrtv";
        if (themselves.find(kind) != std::string_view::npos) return append(text, static_cast<char32_t>(kind));
        if (const auto control = letters.find(kind); control != std::string_view::npos)
            return append(text, static_cast<char32_t>("\a\b\f\n\r\t\v"[control]));
        if (kind == '/' && quote == '"') return append(text, U'/');  // JSON's alone
        if (kind == 'x') return append(text, hexadecimal(2));
        if (kind == 'U') return append(text, hexadecimal(8));
        return kind == 'u' && append(text, unit_or_pair());
    }

    /// False for a surrogate that stands alone: no text has one.
    static bool append(std::string& text, char32_t c) {
        if (c >= past_unicode || (c >= 0xD800 && c < 0xE000)) return false;
        append_code_point(text, c);
        return true;
    }

    char32_t number(std::size_t digits, int base) {
        std::uint32_t value = 0;
        const char* const end = rest_.data() + std::min(digits, rest_.size());
        const auto read = std::from_chars(rest_.data(), end, value, base);
        if (rest_.size() < digits || read.ec != std::errc() || read.ptr != end) return past_unicode;
        rest_.remove_prefix(digits);
        return value;
    }

    char32_t hexadecimal(std::size_t digits) { return number(digits, 16); }

    char32_t octal() {
        std::size_t digits = 0;
        while (digits < std::min<std::size_t>(3, rest_.size()) && rest_[digits] >= '0' && rest_[digits] <= '7')
            ++digits;
        return number(digits, 8);
    }

    /// JSON writes what is beyond 16 bits as two units.
    char32_t unit_or_pair() {
        const char32_t high = hexadecimal(4);
        if (high < 0xD800 || high >= 0xDC00 || !rest_.starts_with("\\u")) return high;
        rest_.remove_prefix(2);
        const char32_t low = hexadecimal(4);
        return low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((high - 0xD800) << 10U) + (low - 0xDC00) : past_unicode;
    }

    std::string_view rest_;
};

}  // namespace

std::optional<std::vector<std::string>> quoted_list(std::string_view cell) { return Reader(cell).list(); }

}  // namespace evaljob
