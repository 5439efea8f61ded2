#include "evaljob-runner/engine/openai/api_key.hpp"

#include <algorithm>

namespace evaljob::openai {

Result<std::string> api_key(const std::string& variable, const Environment& environment) {
    if (variable.empty()) return std::string();
    const auto bad = [&](const char* what) {
        return fail("BadInput", "spec.eval.model.apiKeyVariable: " + variable + " " + what);
    };
    std::string key = value_of(environment, variable);
    constexpr const char* space = " \t\r\n";
    key.erase(0, std::min(key.find_first_not_of(space), key.size()));
    key.erase(key.find_last_not_of(space) + 1);
    if (key.empty())
        return bad(
            "is not set, or empty; set it in env of container runner, from a Secret (in local mode: in the "
            "environment of evaljob)");
    if (std::any_of(key.begin(), key.end(), [](unsigned char c) { return c <= 0x20 || c >= 0x7f; }))
        return bad("has characters that no key has");
    return key;
}

}  // namespace evaljob::openai
