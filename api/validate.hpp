// Checks a JSON value against the table of fields. Pure; never throws on any value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/schema.hpp"

namespace evaljob::schema {

/// Adds every violation of `value` and of all below it, in the order of the table. `path` is the value's name in
/// messages. A member that is null counts as absent, as the API server has it.
void check(const Node& node, const Json& value, const std::string& path, Violations& violations);

/// "unknown field; did you mean numNodes?", or the list of what is known when nothing is near.
std::string unknown_field(const std::string& key, const std::vector<std::string>& known);

/// For messages: "a string (\"x\")", "a list", "null".
std::string kind_of(const Json& value);

/// Whether the whole of `text` has the form.
bool has_form(const Form& form, const std::string& text);

}  // namespace evaljob::schema
