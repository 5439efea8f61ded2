#include "evaljob-runner/engine/openai/api_key.hpp"

#include <algorithm>

namespace evaljob::openai {

namespace {

/// `first`: the lowest character that it may have.
Result<std::string> secret_of(const std::string& field, const std::string& variable, const Environment& environment,
                              unsigned char first, const char* what) {
    std::string text = value_of(environment, variable);
    constexpr const char* space = " \t\r\n";
    text.erase(0, std::min(text.find_first_not_of(space), text.size()));
    text.erase(text.find_last_not_of(space) + 1);
    if (text.empty())
        return fail("BadInput", field + ": " + variable +
                                    " is not set, or empty; set it in env of container runner, from a Secret (in local "
                                    "mode: in the environment of evaljob)");
    if (std::any_of(text.begin(), text.end(), [&](unsigned char c) { return c < first || c >= 0x7f; }))
        return fail("BadInput", field + ": " + variable + " has characters that no " + what + " has");
    return text;
}

}  // namespace

Result<std::string> api_key(const std::string& variable, const Environment& environment) {
    if (variable.empty()) return std::string();
    return secret_of("spec.eval.model.apiKeyVariable", variable, environment, '!', "key");
}

Result<std::string> header_value(const std::string& field, const std::string& variable,
                                 const Environment& environment) {
    return secret_of(field, variable, environment, ' ', "header");
}

}  // namespace evaljob::openai
