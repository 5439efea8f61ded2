// Texts of others: a line of a JSONL dataset, and a line that a program says to its rank.
#include <string>
#include <variant>

#include "api/json_members.hpp"
#include "api/utf8.hpp"
#include "evaljob-runner/dataset/json_sample.hpp"
#include "evaljob-runner/engine/command_protocol.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace evaljob;

namespace {

/// The scanner takes what the library's parser takes, but for two things that the parser lets pass (a key twice) or
/// refuses (half a surrogate pair, a number too large for it).
void check_members(std::string_view text) {
    const auto members = json_members(text, Strictness::Json);
    const Json parsed = parse_json(text);
    const bool may_differ = text.find("\\u") != std::string_view::npos ||
                            text.find_first_of("eE") != std::string_view::npos || text.size() > 300;
    const bool has_mark = text.starts_with("\xef\xbb\xbf");  // the parser skips it
    if (parsed.is_object() && !members && !has_mark)
        fuzz::require(members.error().message.starts_with("has a key twice"), "what is an object is read");
    if (members && !may_differ) fuzz::require(parsed.is_object(), "what is read is an object");
    if (!members) return;
    fuzz::require(json_members(text, Strictness::AnyBytes).has_value(), "what is JSON is so with any bytes");
    if (!parsed.is_object()) return;
    fuzz::require(parsed.size() == members->size(), "no member is left out");
    for (const JsonMember& member : *members) {
        const auto found = parsed.find(member.key);
        fuzz::require(found != parsed.end(), "a key is what the parser makes of it");
        fuzz::require(Json::parse(member.value) == *found, "a value's text is the value's");
        if (const auto bytes = json_string_bytes(member.value))
            fuzz::require(*bytes == found->get<std::string>(), "a string is what the parser makes of it");
    }
}

void check_sample(std::string_view line) {
    Task task;
    task.type = TaskType::Generation;
    task.group_by = "k";
    const auto sample = read_json_sample(line, 7, task);
    if (!sample) {
        fuzz::require(sample.error().reason == "BadInput" && !sample.error().message.empty(), "a refusal says why");
        return;
    }
    fuzz::require(!sample->id.empty() && is_utf8(sample->id) && is_utf8(sample->group), "names are text");
    fuzz::require(json_members(sample->input, Strictness::Json).has_value(), "the input is an object");
    fuzz::require(sample->input.find('\n') == std::string::npos || line.find('\n') != std::string_view::npos,
                  "the input is one line");
    fuzz::require(!sample->target.dump().empty(), "the target can be written");
}

void check_answer(std::string_view line) {
    const auto said = read_program_line(line);
    const auto* answer = std::get_if<Answer>(&said);
    if (answer == nullptr) return;
    const Prediction& prediction = answer->prediction;
    fuzz::require(prediction.prediction.is_null() == !prediction.error.empty(), "there is a prediction or an error");
    fuzz::require(is_utf8(prediction.error), "an error is text");
    fuzz::require(prediction.detail.is_object() && !prediction.detail.dump().empty(), "the detail can be written");
    std::string bytes;
    if (!prediction.error.empty()) return;
    fuzz::require(text_from_json(Json::parse(prediction.prediction.dump()), bytes), "a prediction can be written");
    fuzz::require(text_to_json(bytes) == prediction.prediction, "and comes back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = fuzz::text_of(bytes, size);
    check_members(text);
    check_sample(text);
    check_answer(text);
    return 0;
}
