#include "evaljob-runner/engine/openai/chat_answer.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "api/json_members.hpp"
#include "api/json_read.hpp"
#include "api/json_text.hpp"
#include "evaljob-runner/engine/engine_text.hpp"

namespace evaljob::openai {

namespace {

using Members = std::vector<JsonMember>;

constexpr std::size_t shown_bytes = 500;
constexpr std::size_t most_models = 1000;

tl::unexpected<Error> garbled(const std::string& what) { return fail("Garbled", what, true); }

/// The text of a member; "null" where it is absent.
std::string_view value_of(const Members& members, std::string_view key) {
    for (const JsonMember& member : members)
        if (member.key == key) return member.value;
    return "null";
}

std::uint64_t count_of(std::string_view usage, const char* key) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, number_of(parse_json(usage), key)));
}

/// Of an object within an answer.
std::optional<Members> object_members(std::string_view text) {
    auto members = json_members(text, Strictness::AnyBytes);
    if (!members) return std::nullopt;
    return std::move(*members);
}

std::string one_line(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    return text;
}

/// OpenAI's {"error": {"message": …}}, older vLLM's {"message": …}, FastAPI's {"detail": …}.
std::string error_text(const Json& answer) {
    const Json& error = member(answer, "error");
    for (const Json* candidate :
         {&member(error, "message"), &error, &member(answer, "message"), &member(answer, "detail")}) {
        if (candidate->is_string()) return candidate->get<std::string>();
        if (candidate->is_structured()) return candidate->dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    return "";
}

/// What the model said; an answer may be a refusal, or empty when all tokens went into thinking.
Result<std::string> said(const Members& message) {
    for (const char* key : {"content", "refusal"}) {
        const std::string_view value = value_of(message, key);
        if (value == "null") continue;
        if (auto bytes = json_string_bytes(value)) return std::move(*bytes);
        return garbled("its message has a " + std::string(key) + " that is no text");
    }
    return std::string();
}

}  // namespace

Result<ChatAnswer> read_chat_answer(std::string_view body) {
    const auto answer = object_members(body);
    if (!answer) return garbled("it is no JSON object: " + refusal_text(body));
    const auto first = json_first_item(value_of(*answer, "choices"), Strictness::AnyBytes);
    if (!first) return garbled("it has no choices: " + refusal_text(body));
    const auto choice = object_members(*first);
    const auto message = choice ? object_members(value_of(*choice, "message")) : std::nullopt;
    if (!message) return garbled("its first choice has no message");
    const auto bytes = said(*message);
    if (!bytes) return tl::unexpected(bytes.error());
    ChatAnswer read;
    read.prediction = text_prediction(*bytes, "the server's");
    const auto reason = json_string_bytes(value_of(*choice, "finish_reason"));
    if (reason && read.prediction.error.empty()) read.prediction.detail["finishReason"] = readable(*reason, 64);
    const std::string_view usage = value_of(*answer, "usage");
    read.prompt_tokens = count_of(usage, "prompt_tokens");
    read.completion_tokens = count_of(usage, "completion_tokens");
    return read;
}

Result<ModelList> read_models(std::string_view body) {
    const Json answer = parse_json(body);
    const Json& models = member(answer, "data");
    if (!models.is_array()) return garbled("it is no list of models: " + refusal_text(body));
    ModelList list;
    for (const Json& model : models) {
        if (list.names.size() == most_models) break;
        list.names.push_back(readable(text_of(model, "id"), 256));
        if (list.owner.empty()) list.owner = readable(text_of(model, "owned_by"), 64);
    }
    return list;
}

std::string refusal_text(std::string_view body) {
    std::string text = error_text(parse_json(body));
    if (text.empty()) text = body.substr(0, shown_bytes);
    return one_line(readable(std::move(text), shown_bytes));
}

}  // namespace evaljob::openai
