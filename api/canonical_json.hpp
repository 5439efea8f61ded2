// JSON as this project writes it: compact, keys in their order, what is no UTF-8 replaced. Equal values have equal
// texts, so a text can stand for its value: there are millions of them, and to build a value of each takes longer than
// all else that is done with it. Pure.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/json.hpp"

namespace evaljob {

/// Appends the value's canonical text.
void append_json(std::string& to, const Json& value);
/// Appends the canonical text of a string.
void append_json_string(std::string& to, std::string_view string);

/// A value by its canonical text. Made of whatever makes a Json.
class CanonicalJson {
public:
    CanonicalJson() = default;
    // Implicit, as those of Json are. NOLINTBEGIN(google-explicit-constructor)
    CanonicalJson(const Json& value) {
        text_.clear();
        append_json(text_, value);
    }
    CanonicalJson(Json::initializer_list_t value) : CanonicalJson(Json(value)) {}
    template <class T>
    requires(!std::same_as<T, CanonicalJson> && !std::same_as<T, Json> && std::convertible_to<const T&, Json>)
        CanonicalJson(const T& value)
        : CanonicalJson(Json(value)) {}
    // NOLINTEND(google-explicit-constructor)

    /// Nothing when it is not canonical, or nested deeper than parse_json() reads.
    static std::optional<CanonicalJson> from_text(std::string_view text);

    const std::string& text() const { return text_; }
    Json value() const { return Json::parse(text_); }
    bool is_null() const { return text_ == "null"; }
    bool operator==(const CanonicalJson&) const = default;

private:
    std::string text_ = "null";
};

/// The items of an array, one by one, as they stand in its text. They are not looked into: who reads one finds out
/// whether it is canonical.
class ArrayItems {
public:
    explicit ArrayItems(std::string_view text);

    /// Nothing behind the last one, and where the text is no array.
    std::optional<std::string_view> next();
    /// The whole text was an array, and next() has given all of it.
    bool complete() const { return state_ == State::Complete; }

private:
    enum class State { First, Further, Complete, Broken };

    std::string_view rest_;
    State state_ = State::First;
};

/// An item that is a number from 0 to what T holds.
template <std::unsigned_integral T>
bool read_item(const std::optional<std::string_view>& item, T& number) {
    if (!item || item->empty() || (item->size() > 1 && item->front() == '0')) return false;
    const auto [end, error] = std::from_chars(item->data(), item->data() + item->size(), number);
    return error == std::errc() && end == item->data() + item->size();
}
/// An item that is a string.
bool read_item(const std::optional<std::string_view>& item, std::string& string);
/// An item that is any value.
bool read_item(const std::optional<std::string_view>& item, Json& value);

}  // namespace evaljob
