// Rules of objects in which one member, a format or a type, decides what the others may be.
#include <algorithm>

#include "api/json_read.hpp"
#include "api/schema_rows.hpp"

namespace evaljob::schema {
namespace {

/// A member by its path, "model.format"; null when it or an object above it is absent.
const Json& at(const Json& object, const std::string& path) {
    const std::size_t dot = path.find('.');
    if (dot == std::string::npos) return member(object, path.c_str());
    return at(member(object, path.substr(0, dot).c_str()), path.substr(dot + 1));
}

/// CEL's has() fails where the object above a member is absent.
std::string cel_has(const std::string& path) {
    const std::size_t dot = path.find('.');
    if (dot == std::string::npos) return "has(self." + path + ")";
    return "(has(self." + path.substr(0, dot) + ") && has(self." + path + "))";
}

/// "IDX or TSV".
std::string words_of(const std::vector<std::string>& values) {
    std::string words;
    for (const std::string& value : values) words += (words.empty() ? "" : " or ") + value;
    return words;
}

bool is_one_of(const Json& is, const std::vector<std::string>& values) {
    return std::find(values.begin(), values.end(), is.get<std::string>()) != values.end();
}

std::string cel_is(const std::string& path, const std::vector<std::string>& values,
                   const std::string& object = "self.") {
    if (values.size() == 1) return object + path + " == '" + values.front() + "'";
    std::string list;
    for (const std::string& value : values) list += (list.empty() ? "'" : ", '") + value + "'";
    return object + path + " in [" + list + "]";
}

std::string is_other(const std::string& path, const std::string& value) {
    return "self." + path + " != '" + value + "' || ";
}

Rule refused_with(const std::string& kind, const std::string& value, const std::string& key) {
    const std::string what = key + ": is not used with " + kind + " " + value + "; remove it";
    return {.cel = is_other(kind, value) + "!" + cel_has(key),
            .message = what,
            .message_expression = "",
            .check = [=](const Json& object, const std::string& path, Violations& violations) {
                if (at(object, kind) == Json(value) && !at(object, key).is_null())
                    violations.push_back(path + "." + what);
            }};
}

Rule refused_in_list(const std::string& kind, const std::string& value, const std::string& list,
                     const std::string& key) {
    const std::string what = key + ": is not used with " + kind + " " + value + "; remove it";
    return {.cel = is_other(kind, value) + "self." + list + ".all(x, !has(x." + key + "))",
            .message = list + "[]." + what,
            .message_expression = "",
            .check = [=](const Json& object, const std::string& path, Violations& violations) {
                if (at(object, kind) != Json(value)) return;
                each_item(object, path, list, [&](const Json& item, const std::string& of_item) {
                    if (!at(item, key).is_null()) violations.push_back(of_item + what);
                });
            }};
}

}  // namespace

void each_item(const Json& object, const std::string& path, const std::string& key,
               const std::function<void(const Json& item, const std::string& of_item)>& visit) {
    const Json& items = at(object, key);
    if (!items.is_array()) return;
    for (std::size_t i = 0; i < items.size(); ++i) visit(items[i], path + "." + key + "[" + std::to_string(i) + "].");
}

Rule needed_with(const std::string& kind, const std::string& value, const std::string& key) {
    const std::string what = key + ": required with " + kind + " " + value;
    return {.cel = is_other(kind, value) + cel_has(key),
            .message = what,
            .message_expression = "",
            .check = [=](const Json& object, const std::string& path, Violations& violations) {
                if (at(object, kind) == Json(value) && at(object, key).is_null())
                    violations.push_back(path + "." + what);
            }};
}

std::vector<Rule> used_with(const std::string& kind, const std::vector<std::string>& values,
                            const std::vector<Use>& uses) {
    std::vector<Rule> rules;
    for (const std::string& value : values) {
        for (const auto& [key, with] : uses) {
            if (std::find(with.begin(), with.end(), value) != with.end()) continue;
            const std::size_t list = key.find("[].");
            rules.push_back(list == std::string::npos
                                ? refused_with(kind, value, key)
                                : refused_in_list(kind, value, key.substr(0, list), key.substr(list + 3)));
        }
    }
    return rules;
}

Rule fixed_with(const std::string& kind, const std::string& value, const std::string& key, const std::string& fixed) {
    return fixed_with(kind, value, key, std::vector{fixed});
}

Rule fixed_with(const std::string& kind, const std::string& value, const std::string& key,
                const std::vector<std::string>& fixed) {
    const std::string what = key + ": must be " + words_of(fixed) + " with " + kind + " " + value;
    return {.cel = is_other(kind, value) + cel_is(key, fixed),
            .message = what,
            .message_expression = "",
            .check = [=](const Json& object, const std::string& path, Violations& violations) {
                const Json& is = at(object, key);
                if (at(object, kind) == Json(value) && is.is_string() && !is_one_of(is, fixed))
                    violations.push_back(path + "." + what + ", is " + is.get<std::string>());
            }};
}

Rule refused_value_with(const std::string& kind, const std::string& value, const std::string& key,
                        const std::string& refused) {
    const std::string what = key + ": " + refused + " is not used with " + kind + " " + value + "; remove it";
    return {.cel = is_other(kind, value) + "!" + cel_has(key) + " || self." + key + " != '" + refused + "'",
            .message = what,
            .message_expression = "",
            .check = [=](const Json& object, const std::string& path, Violations& violations) {
                if (at(object, kind) == Json(value) && at(object, key) == Json(refused))
                    violations.push_back(path + "." + what);
            }};
}

Rule all_fixed_with(const std::string& kind, const std::string& value, const std::string& list, const std::string& key,
                    const std::vector<std::string>& fixed) {
    const std::string what = key + ": must be " + words_of(fixed) + " with " + kind + " " + value;
    return {.cel = is_other(kind, value) + "self." + list + ".all(x, " + cel_is(key, fixed, "x.") + ")",
            .message = list + "[]." + what,
            .message_expression = "",
            .check = [=](const Json& object, const std::string& path, Violations& violations) {
                if (at(object, kind) != Json(value)) return;
                each_item(object, path, list, [&](const Json& item, const std::string& of_item) {
                    if (const Json& is = at(item, key); is.is_string() && !is_one_of(is, fixed))
                        violations.push_back(of_item + what + ", is " + is.get<std::string>());
                });
            }};
}

Rule needed_for(const std::string& key, const std::string& needed) {
    const std::string what = needed + ": required with " + key;
    return {.cel = "!" + cel_has(key) + " || " + cel_has(needed),
            .message = what,
            .message_expression = "",
            .check = [=](const Json& object, const std::string& path, Violations& violations) {
                if (!at(object, key).is_null() && at(object, needed).is_null()) violations.push_back(path + "." + what);
            }};
}

}  // namespace evaljob::schema
