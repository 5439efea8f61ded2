#include "api/validate.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <regex>
#include <set>
#include <string_view>

#include "api/schema_rows.hpp"

#include "api/nearest_word.hpp"

namespace evaljob::schema {
namespace {

constexpr std::size_t shown_characters = 80;  // of a value, in a message

std::string shown(const Json& value) {
    std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() <= shown_characters) return text;
    std::size_t end = shown_characters;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return text.substr(0, end) + "…";
}

std::size_t characters(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

template <class Words>
std::string nearest(const std::string& word, const Words& candidates) {
    return nearest_word(word, {candidates.begin(), candidates.end()});
}

template <class Words>
std::string joined(const Words& words) {
    std::string all;
    for (const auto& word : words) all += (all.empty() ? "" : ", ") + std::string(word);
    return all;
}

class Checker {
public:
    explicit Checker(Violations& violations) : violations_(violations) {}

    void check(const Node& node, const Json& value, const std::string& path) {
        const Field& field = *node.field;
        if (field.later) return say(path, "not supported yet; remove it");
        if (field.owned) return say(path, "is set by the operator; remove it");
        if (field.taken != nullptr) return say(path, field.taken);
        switch (field.type) {
            case Type::Object:
                check_object(node, value, path);
                break;
            case Type::Array:
                check_array(node, value, path);
                break;
            case Type::String:
                check_string(field, value, path);
                break;
            case Type::Integer:
                check_integer(field, value, path);
                break;
            case Type::Boolean:
                if (!value.is_boolean()) wrong_type(path, "a boolean", value);
                break;
            case Type::StringMap:
                check_map(field, value, path);
                break;
            case Type::IntegerMap:
                break;  // status alone has one
        }
        for (const Rule& rule : field.rules) {
            if (rule.check != nullptr) rule.check(value, path, violations_);
        }
    }

private:
    void say(const std::string& path, const std::string& what) { violations_.push_back(path + ": " + what); }

    void wrong_type(const std::string& path, const std::string& expected, const Json& value) {
        std::string what = "must be " + expected + ", is " + kind_of(value);
        if (expected == "a string" && value.is_primitive() && !value.is_null()) what += "; put it in quotes";
        say(path, what);
    }

    void check_object(const Node& node, const Json& value, const std::string& path) {
        if (!value.is_object()) return wrong_type(path, "an object", value);
        std::vector<std::string> known;
        for (const Node& member : node.members) {
            if (!member.field->later && !member.field->owned && member.field->taken == nullptr)
                known.push_back(member.key);
            const auto found = value.find(member.key);
            if (found != value.end() && !found->is_null()) {
                check(member, *found, path + "." + member.key);
            } else if (member.field->required) {
                say(path + "." + member.key, "required");
            }
        }
        if (node.field->open) return;
        for (const auto& [key, ignored] : value.items()) {
            const bool has_row = std::any_of(node.members.begin(), node.members.end(),
                                             [&key = key](const Node& member) { return member.key == key; });
            if (!has_row) say(path + "." + key, unknown_field(key, known));
        }
    }

    /// False when there are so many that looking at each would cost too much.
    bool check_count(const Field& field, std::size_t count, const std::string& path, const std::string& what) {
        const auto counted = [&what](std::size_t n) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); };
        const std::string is = ", has " + std::to_string(count);
        if (field.min_items && count < *field.min_items) {
            say(path, "must have at least " + counted(*field.min_items) + is);
        }
        if (field.max_items && count > *field.max_items) {
            say(path, "must have at most " + counted(*field.max_items) + is);
            return false;
        }
        return true;
    }

    void check_array(const Node& node, const Json& value, const std::string& path) {
        if (!value.is_array()) return wrong_type(path, "a list", value);
        if (!check_count(*node.field, value.size(), path, "item")) return;
        if (!node.item.empty()) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                check(node.item.front(), value[i], path + "[" + std::to_string(i) + "]");
            }
        }
        if (node.field->key != nullptr || node.field->distinct) check_repeats(*node.field, value, path);
    }

    void check_repeats(const Field& field, const Json& items, const std::string& path) {
        std::map<std::string, std::size_t> first;
        for (std::size_t i = 0; i < items.size(); ++i) {
            Json told_by = items[i];
            std::string where = path + "[" + std::to_string(i) + "]";
            if (field.key != nullptr) {
                if (!items[i].is_object()) continue;
                told_by = items[i].value(field.key, Json());
                where += std::string(".") + field.key;
            }
            if (!told_by.is_string()) continue;
            const auto [earlier, is_new] = first.try_emplace(told_by.get<std::string>(), i);
            if (is_new) continue;
            say(where, shown(told_by) + " is already that of " + path + "[" + std::to_string(earlier->second) + "]");
        }
    }

    void check_string(const Field& field, const Json& value, const std::string& path) {
        if (!value.is_string()) return wrong_type(path, "a string", value);
        const std::string text = value.get<std::string>();
        if (!field.values.empty()) return check_choice(field, text, path);
        const std::size_t length = characters(text);
        if (field.min_length && length < *field.min_length) return say(path, "must not be empty");
        if (field.max_length && length > *field.max_length) {
            return say(path, "must have at most " + std::to_string(*field.max_length) + " characters, has " +
                                 std::to_string(length));
        }
        if (field.form != nullptr && !has_form(*field.form, text)) {
            say(path, std::string("must be ") + field.form->words + ", is " + shown(value));
        }
    }

    void check_choice(const Field& field, const std::string& text, const std::string& path) {
        const auto is = [&text](const char* candidate) { return text == candidate; };
        if (std::any_of(field.values.begin(), field.values.end(), is)) return;
        std::string what = field.values.size() == 1 ? "must be " : "must be one of ";
        what += joined(field.values) + ", is " + shown(Json(text));
        const std::string meant = nearest(text, field.values);
        if (field.values.size() > 1 && !meant.empty()) what += "; did you mean " + meant + "?";
        say(path, what);
    }

    void check_integer(const Field& field, const Json& value, const std::string& path) {
        if (!value.is_number_integer()) return wrong_type(path, "an integer", value);
        const std::int64_t most_of_type =
            field.wide ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int32_t>::max();
        const std::int64_t maximum = field.maximum.value_or(most_of_type);
        const std::int64_t minimum = field.minimum.value_or(-most_of_type - 1);
        const bool beyond = value.is_number_unsigned() &&
                            value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()};
        if (beyond || value.get<std::int64_t>() > maximum) {
            say(path, "must be at most " + std::to_string(maximum) + ", is " + shown(value));
        } else if (value.get<std::int64_t>() < minimum) {
            say(path, "must be at least " + std::to_string(minimum) + ", is " + shown(value));
        }
    }

    void check_map(const Field& field, const Json& value, const std::string& path) {
        if (!value.is_object()) return wrong_type(path, "an object", value);
        if (!check_count(field, value.size(), path, "label")) return;
        for (const auto& [key, entry] : value.items()) {
            Field of_entry = field;
            of_entry.type = Type::String;
            check_string(of_entry, entry, path + "." + key);
        }
    }

    Violations& violations_;
};

}  // namespace

void check(const Node& node, const Json& value, const std::string& path, Violations& violations) {
    Checker(violations).check(node, value, path);
}

std::string unknown_field(const std::string& key, const std::vector<std::string>& known) {
    const std::string meant = nearest(key, known);
    if (!meant.empty()) return "unknown field; did you mean " + meant + "?";
    return "unknown field; known here: " + joined(known);
}

std::string kind_of(const Json& value) {
    switch (value.type()) {
        case Json::value_t::null:
            return "null";
        case Json::value_t::object:
            return "an object";
        case Json::value_t::array:
            return "a list";
        case Json::value_t::string:
            return "a string (" + shown(value) + ")";
        case Json::value_t::boolean:
            return "a boolean (" + shown(value) + ")";
        case Json::value_t::number_float:
            return "a number (" + shown(value) + ")";
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned:
            return "an integer (" + shown(value) + ")";
        default:
            return "no JSON value";
    }
}

bool has_form(const Form& form, const std::string& text) {
    // std::regex goes a call deeper with each character: of long texts the stack has an end. Long are only these.
    if (form.pattern == std::string_view(text_form.pattern))
        return !text.empty() && text.find('\0') == std::string::npos;
    // Compiled once each: the forms are few and live as long as the program.
    static thread_local std::map<const char*, std::regex> compiled;
    auto found = compiled.find(form.pattern);
    if (found == compiled.end()) found = compiled.emplace(form.pattern, std::regex(form.pattern)).first;
    return std::regex_match(text, found->second);
}

}  // namespace evaljob::schema
