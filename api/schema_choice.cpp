// Rules of objects in which one member, a format or a type, decides what the others may be.
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

std::string cel_is(const std::string& path, const std::string& value) { return "self." + path + " == '" + value + "'"; }

std::string is_other(const std::string& path, const std::string& value) {
    return "self." + path + " != '" + value + "' || ";
}

}  // namespace

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

Rule fixed_with(const std::string& kind, const std::string& value, const std::string& key, const std::string& fixed) {
    const std::string what = key + ": must be " + fixed + " with " + kind + " " + value;
    return {.cel = is_other(kind, value) + cel_is(key, fixed),
            .message = what,
            .message_expression = "",
            .check = [=](const Json& object, const std::string& path, Violations& violations) {
                const Json& is = at(object, key);
                if (at(object, kind) == Json(value) && is.is_string() && is != Json(fixed))
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

Rule all_refused_with(const std::string& kind, const std::string& value, const std::string& list,
                      const std::string& key) {
    const std::string what = key + ": is not used with " + kind + " " + value + "; remove it";
    return {.cel = is_other(kind, value) + "self." + list + ".all(x, !has(x." + key + "))",
            .message = list + "[]." + what,
            .message_expression = "",
            .check = [=](const Json& object, const std::string& path, Violations& violations) {
                const Json& items = at(object, list);
                if (at(object, kind) != Json(value) || !items.is_array()) return;
                for (std::size_t i = 0; i < items.size(); ++i)
                    if (!at(items[i], key).is_null())
                        violations.push_back(path + "." + list + "[" + std::to_string(i) + "]." + what);
            }};
}

Rule all_fixed_with(const std::string& kind, const std::string& value, const std::string& list, const std::string& key,
                    const std::string& fixed) {
    const std::string what = key + ": must be " + fixed + " with " + kind + " " + value;
    return {.cel = is_other(kind, value) + "self." + list + ".all(x, x." + key + " == '" + fixed + "')",
            .message = list + "[]." + what,
            .message_expression = "",
            .check = [=](const Json& object, const std::string& path, Violations& violations) {
                const Json& items = at(object, list);
                if (at(object, kind) != Json(value) || !items.is_array()) return;
                for (std::size_t i = 0; i < items.size(); ++i)
                    if (const Json& is = at(items[i], key); is.is_string() && is != Json(fixed))
                        violations.push_back(path + "." + list + "[" + std::to_string(i) + "]." + what + ", is " +
                                             is.get<std::string>());
            }};
}

}  // namespace evaljob::schema
