#include "operator/kube/managed_fields.hpp"

namespace evaljob::kube {
namespace {

// No JSON string holds this: its quotes would be escaped.
constexpr std::string_view key = R"("managedFields":)";
constexpr std::string_view begin = R"([{"manager":")";

/// The length of the list that `text` begins with; npos when it does not end.
std::size_t list_length(std::string_view text) {
    int depth = 0;
    for (std::size_t i = text.find_first_of("[]\""); i != text.npos; i = text.find_first_of("[]\"", i + 1)) {
        if (text[i] == '"') {
            for (i = text.find_first_of("\"\\", i + 1); i != text.npos && text[i] == '\\';)
                i = text.find_first_of("\"\\", i + 2);
            if (i == text.npos) return text.npos;
        } else {
            depth += text[i] == '[' ? 1 : -1;
            if (depth == 0) return i + 1;
        }
    }
    return text.npos;
}

}  // namespace

std::string without_managed_fields(std::string_view text) {
    std::string kept;
    kept.reserve(text.size());
    for (std::size_t at = text.find(key); at != text.npos; at = text.find(key)) {
        const std::size_t list = at + key.size();
        kept += text.substr(0, list);
        text.remove_prefix(list);
        if (!text.starts_with(begin)) continue;
        const std::size_t length = list_length(text);
        if (length == text.npos) break;
        kept += "[]";
        text.remove_prefix(length);
    }
    kept += text;
    return kept;
}

}  // namespace evaljob::kube
