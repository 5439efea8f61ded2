#include "evaljob-runner/dataset/json_sample.hpp"

#include <algorithm>

#include "api/json_members.hpp"
#include "api/utf8.hpp"

namespace evaljob {

namespace {

std::string shown(std::string_view value) {
    if (value.size() <= 60) return std::string(value);
    std::size_t end = 60;
    while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0U) == 0x80U) --end;
    return std::string(value.substr(0, end)) + "…";
}

tl::unexpected<Error> bad(const std::string& what) { return fail("BadInput", what); }

bool is_integer(std::string_view value) {
    if (value.starts_with('-')) value.remove_prefix(1);
    return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// A text, or an integer or boolean as it stands. What names a sample or a group must be UTF-8, because JSON holds it.
Result<std::string> read_name(const JsonMember& member, std::size_t limit, bool boolean_too) {
    const auto text = json_string_bytes(member.value);
    const bool other = is_integer(member.value) || (boolean_too && (member.value == "true" || member.value == "false"));
    if (!text && !other) return bad(member.key + " must be a text or an integer, is " + shown(member.value));
    std::string name = text ? *text : std::string(member.value);
    if (name.empty()) return bad(member.key + " is empty; leave it out, or give it a text");
    if (name.size() > limit)
        return bad(member.key + " must have at most " + std::to_string(limit) + " bytes, has " +
                   std::to_string(name.size()));
    if (!is_utf8(name)) return bad(member.key + " has half of a surrogate pair (\\ud800 to \\udfff); mend the text");
    return name;
}

Result<Json> read_targets(std::string_view value) {
    constexpr const char* wanted = "target must be a text, or a list of texts of which each is right";
    if (value.size() > max_target_bytes)
        return bad("target must have at most 1 MiB, has " + std::to_string(value.size()) + " bytes");
    if (const auto text = json_string_bytes(value)) return text_to_json(*text);
    // Parsed whole, a list of texts; half surrogates, which the parser refuses, stand in a single target alone.
    const Json list = Json::parse(value, nullptr, false);
    const bool texts = list.is_array() && !list.empty() &&
                       std::all_of(list.begin(), list.end(), [](const Json& item) { return item.is_string(); });
    if (!texts) return bad(std::string(wanted) + "; it is " + shown(value));
    return list;
}

/// Python's json.dumps writes these for what is no number, and JSON knows none of them. Where the first stands, and how
/// to be rid of it; empty where there is none.
std::string named_non_number(std::string_view line) {
    bool quoted = false;
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (quoted && line[at] == '\\') {
            ++at;
        } else if (line[at] == '"') {
            quoted = !quoted;
        } else if (!quoted) {
            for (const std::string_view word : {"NaN", "Infinity", "-Infinity"})
                if (line.substr(at).starts_with(word))
                    return ": at byte " + std::to_string(at + 1) + " stands " + std::string(word) +
                           ", which JSON has not; write null or a text";
        }
    }
    return "";
}

}  // namespace

Result<Sample> read_json_sample(std::string_view line, std::uint64_t number, const Task& task) {
    if (line.starts_with("\xef\xbb\xbf"))
        return bad("begins with a byte order mark; save the file as UTF-8 without one");
    const auto members = json_members(line, Strictness::Json);
    if (!members) return bad(members.error().message + named_non_number(line) + "; each line holds one, in UTF-8");
    Sample sample;
    sample.id = std::to_string(number);
    bool has_group = task.group_by.empty();
    for (const JsonMember& member : *members) {
        if (member.key == "target") {
            auto target = read_targets(member.value);
            if (!target) return tl::unexpected(target.error());
            sample.target = std::move(*target);
            continue;
        }
        if (member.key == "id") {
            auto id = read_name(member, max_id_bytes, false);
            if (!id) return tl::unexpected(id.error());
            sample.id = std::move(*id);
            continue;
        }
        if (member.key == task.group_by) {
            auto group = read_name(member, max_group_bytes, true);
            if (!group) return tl::unexpected(group.error());
            sample.group = std::move(*group);
            has_group = true;
        }
        sample.input += sample.input.empty() ? "{" : ",";
        sample.input += member.key_text;
        sample.input += ':';
        sample.input += member.value;
    }
    sample.input += sample.input.empty() ? "{}" : "}";
    if (sample.target.is_null()) return bad("has no target: the right answer, a text or a list of texts");
    if (!has_group)
        return bad("has no " + task.group_by + ", which task.groupBy names; give every sample one, or remove groupBy");
    return sample;
}

}  // namespace evaljob
