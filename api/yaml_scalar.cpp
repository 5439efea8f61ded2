#include "api/yaml_scalar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <regex>
#include <set>
#include <vector>

#include "api/yaml.hpp"

namespace evaljob {
namespace {

template <std::size_t N>
bool among(const std::array<std::string_view, N>& words, std::string_view text) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

// YAML 1.1's words, which kubectl reads as booleans.
constexpr std::array<std::string_view, 11> true_words{"y",    "Y",    "yes", "Yes", "YES", "true",
                                                      "True", "TRUE", "on",  "On",  "ON"};
constexpr std::array<std::string_view, 11> false_words{"n",     "N",     "no",  "No",  "NO", "false",
                                                       "False", "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 5> null_words{"", "~", "null", "Null", "NULL"};

bool looks_numeric(const std::string& text) {
    if (text.size() > 512) return false;
    static const std::regex number("[-+]?([.][0-9]|[0-9])[-+0-9a-zA-Z._:]*|[-+]?[.](inf|Inf|INF)|[.](nan|NaN|NAN)");
    return std::regex_match(text, number);
}

template <class Integer>
bool whole(std::string_view digits, int base, Integer& into) {
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), into, base);
    return failure == std::errc{} && end == digits.data() + digits.size();
}

Scalar read_integer(const std::string& text) {
    std::string_view digits = text;
    const bool negative = digits.starts_with('-');
    if (negative || digits.starts_with('+')) digits.remove_prefix(1);
    int base = 10;
    if (digits.starts_with("0x")) base = 16;
    if (digits.starts_with("0o")) base = 8;
    if (base != 10) {
        digits.remove_prefix(2);
    } else if (digits.size() > 1 && digits.starts_with('0')) {
        return {{}, text + " is octal to some readers and decimal to others; quote it or leave out the leading zero"};
    }
    std::uint64_t magnitude = 0;
    const std::uint64_t most_negative = std::uint64_t{1} << 63U;
    if (!whole(digits, base, magnitude) || (negative && magnitude > most_negative)) {
        return {{}, text + " is an integer of more than 64 bits; quote it if it is a text"};
    }
    if (negative) return {Json(static_cast<std::int64_t>(~magnitude + 1)), ""};
    if (magnitude < most_negative) return {Json(static_cast<std::int64_t>(magnitude)), ""};
    return {Json(magnitude), ""};
}

/// Counts values and depth, and finds repeated keys, while nlohmann parses.
class JsonLimits {
public:
    bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
        if (depth > static_cast<int>(max_yaml_depth)) refuse("is nested deeper than 100 levels");
        if (event == Json::parse_event_t::object_start) keys_.emplace_back();
        if (event == Json::parse_event_t::object_end && !keys_.empty()) keys_.pop_back();
        if (event == Json::parse_event_t::key && !keys_.back().insert(parsed.get<std::string>()).second) {
            refuse("the key " + parsed.dump() + " stands twice in one object");
        }
        if (event != Json::parse_event_t::key && ++values_ > 2 * max_yaml_values) refuse("holds too many values");
        return true;
    }
    const std::string& refusal() const { return refusal_; }

private:
    void refuse(std::string why) {
        if (refusal_.empty()) refusal_ = std::move(why);
    }
    std::vector<std::set<std::string>> keys_;
    std::size_t values_ = 0;
    std::string refusal_;
};

/// Characters that readers fold, drop, or take for the end of a line: controls, a byte order mark, the other line ends.
bool has_invisible(const std::string& text) {
    const auto is_control = [](unsigned char c) { return (c < 0x20 && c != '\n') || c == 0x7F; };
    return std::any_of(text.begin(), text.end(), is_control) || text.find("\xEF\xBB\xBF") != std::string::npos ||
           text.find("\xC2\x85") != std::string::npos || text.find("\xE2\x80\xA8") != std::string::npos ||
           text.find("\xE2\x80\xA9") != std::string::npos;
}

}  // namespace

Scalar read_plain_scalar(const std::string& text) {
    static const std::regex integer("[-+]?([0-9]+|0x[0-9a-fA-F]+|0o[0-7]+)");
    static const std::regex real("[-+]?([.][0-9]+|[0-9]+([.][0-9]*)?)([eE][-+]?[0-9]+)?");
    if (among(null_words, text)) return {Json(), ""};
    if (among(true_words, text)) return {Json(true), ""};
    if (among(false_words, text)) return {Json(false), ""};
    if (!looks_numeric(text)) return {Json(text), ""};
    if (std::regex_match(text, integer)) return read_integer(text);
    if (std::regex_match(text, real)) {
        const double number = std::strtod(text.c_str(), nullptr);
        if (std::isfinite(number)) return {Json(number), ""};
        return {{}, text + " is too large a number; quote it if it is a text"};
    }
    static const std::regex other_number("[-+]?[.](inf|Inf|INF)|[.](nan|NaN|NAN)|[-+]?[0-9][0-9]*_[0-9_]*|0b[01_]+");
    if (std::regex_match(text, other_number)) {
        return {{}, text + " is a number to some readers only; quote it if it is a text, else write it out"};
    }
    return {Json(text), ""};
}

bool is_plainly_a_string(const std::string& text) {
    return !has_invisible(text) && !among(null_words, text) && !among(true_words, text) && !among(false_words, text) &&
           text != "<<" && text != "=" && !text.starts_with("---") && !text.starts_with("...") && !looks_numeric(text);
}

JsonText parse_json_text(std::string_view text) {
    JsonLimits limits;
    const auto watch = [&limits](int depth, Json::parse_event_t event, Json& parsed) {
        return limits(depth, event, parsed);
    };
    Json value = Json::parse(text, watch, false);
    if (value.is_discarded()) return {};
    if (!limits.refusal().empty()) return {std::nullopt, limits.refusal()};
    return {std::move(value), ""};
}

}  // namespace evaljob
