#include "operator/kube/watch_decoder.hpp"

#include <optional>

#include "api/json_text.hpp"
#include "operator/kube/managed_fields.hpp"

namespace evaljob::kube {
namespace {

std::optional<WatchEvent::Type> type_of(const std::string& word) {
    if (word == "ADDED") return WatchEvent::Type::Added;
    if (word == "MODIFIED") return WatchEvent::Type::Modified;
    if (word == "DELETED") return WatchEvent::Type::Deleted;
    if (word == "BOOKMARK") return WatchEvent::Type::Bookmark;
    if (word == "ERROR") return WatchEvent::Type::Error;
    return {};
}

Result<WatchEvent> decode(std::string_view line) {
    Json event = parse_json(without_managed_fields(line));
    if (!event.is_object()) return fail("BadEvent", "a line of the watch is no JSON object", true);
    const auto type = event.find("type");
    const auto object = event.find("object");
    if (type == event.end() || !type->is_string() || object == event.end() || !object->is_object())
        return fail("BadEvent", "an event of the watch has no type or no object", true);
    const auto known = type_of(type->get<std::string>());
    if (!known) return fail("BadEvent", "an event of the watch has the unknown type " + type->get<std::string>(), true);
    return WatchEvent{*known, std::move(*object)};
}

}  // namespace

Result<std::vector<WatchEvent>> WatchDecoder::feed(std::string_view bytes) {
    std::vector<WatchEvent> events;
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view part = bytes.substr(0, end);
        if (line_.size() + part.size() > most_line_bytes_)
            return fail("TooLarge", "a line of the watch has more than " + std::to_string(most_line_bytes_) + " bytes",
                        true);
        line_ += part;
        if (end == std::string_view::npos) return events;
        bytes.remove_prefix(end + 1);
        std::string line = std::exchange(line_, {});
        if (line.empty()) continue;
        auto event = decode(line);
        if (!event) return tl::unexpected(event.error());
        events.push_back(std::move(*event));
    }
    return events;
}

}  // namespace evaljob::kube
