#include "api/json_text.hpp"

#include <algorithm>

namespace evaljob {

namespace {

/// Of brackets outside strings, in text that need be no JSON.
std::size_t depth_of(std::string_view text) {
    std::size_t depth = 0;
    std::size_t deepest = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"') in_string = !in_string;
        if (in_string) {
            if (c == '\\') ++i;
        } else if (c == '[' || c == '{') {
            deepest = std::max(deepest, ++depth);
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
    return deepest;
}

}  // namespace

Json parse_json(std::string_view text) {
    // Nearly every text has too few brackets to be deep at all, and counting them costs nothing.
    const auto brackets = std::count(text.begin(), text.end(), '[') + std::count(text.begin(), text.end(), '{');
    if (static_cast<std::size_t>(brackets) > max_json_depth && depth_of(text) > max_json_depth)
        return Json(Json::value_t::discarded);
    return Json::parse(text, nullptr, false);
}

}  // namespace evaljob
