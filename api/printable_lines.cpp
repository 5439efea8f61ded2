#include "api/printable_lines.hpp"

#include "api/json.hpp"
#include "api/printable.hpp"

namespace evaljob {

std::string printable_lines(std::string_view text) {
    std::string shown;
    for (;;) {
        const auto end = text.find('\n');
        shown += printable(text.substr(0, end));
        if (end == std::string_view::npos) return shown;
        shown += '\n';
        text.remove_prefix(end + 1);
    }
}

std::string json_line(const Json& object) {
    std::string line = object.dump(-1, ' ', false, Json::error_handler_t::replace);
    return printable(line) == line ? line : object.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace evaljob
