#include "evaljob-runner/engine/openai/chat_answer.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include "api/json_members.hpp"
#include "api/json_read.hpp"
#include "api/json_text.hpp"
#include "evaljob-runner/engine/engine_text.hpp"
#include "evaljob-runner/engine/openai/finish_reason.hpp"

namespace evaljob::openai {

namespace {

using Members = std::vector<JsonMember>;

constexpr std::size_t shown_bytes = 500;
constexpr std::uint64_t most_tokens = 1'000'000'000'000;  // of one answer; more is no count

/// What a message holds.
struct Said {
    std::string text;
    std::string refusal;
};

tl::unexpected<Error> garbled(const std::string& what) { return fail("Garbled", what, true); }

/// The text of a member; "null" where it is absent.
std::string_view value_of(const Members& members, std::string_view key) {
    for (const JsonMember& member : members)
        if (member.key == key) return member.value;
    return "null";
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

bool is_null(std::string_view value) { return value == "null"; }

bool is_nothing(std::string_view value) {
    return is_null(value) || value == "false" || value == "\"\"" || value == "{}" || value == "[]";
}

/// A text, or a list of parts that are texts, joined. What a part holds stands in the member of the part's type.
Result<void> add_text(std::string_view value, const std::string& name, Said& said) {
    if (auto bytes = json_string_bytes(value)) {
        said.text += *bytes;
        return {};
    }
    const auto parts = json_items(value, Strictness::AnyBytes);
    if (!parts) return garbled("its message has a " + name + " that is no text");
    for (const std::string_view text : *parts) {
        const auto part = object_members(text);
        const std::string type = part ? json_string_bytes(value_of(*part, "type")).value_or("") : "";
        const bool is_text = type == "text" || type == "output_text";
        const auto bytes = is_text             ? json_string_bytes(value_of(*part, "text"))
                           : type == "refusal" ? json_string_bytes(value_of(*part, "refusal"))
                                               : std::nullopt;
        if (type == "thinking" || type == "reasoning") continue;
        if (!bytes) return garbled("its message has a " + name + " with a part that is no text");
        (is_text ? said.text : said.refusal) += *bytes;
    }
    return {};
}

/// An answer may be a refusal, or empty when all tokens went into thinking.
Result<std::string> said(const Members& message) {
    Said said;
    if (const auto content = value_of(message, "content"); !is_null(content))
        if (auto added = add_text(content, "content", said); !added) return tl::unexpected(added.error());
    if (const auto refusal = value_of(message, "refusal"); said.text.empty() && !is_null(refusal)) {
        Said refused;
        if (auto added = add_text(refusal, "refusal", refused); !added) return tl::unexpected(added.error());
        said.refusal += refused.text + refused.refusal;
    }
    return said.text.empty() ? said.refusal : said.text;
}

/// What the model thought before it answered, as different servers call it.
void add_reasoning(const Members& message, Json& detail) {
    for (const char* key : {"reasoning_content", "reasoning"}) {
        auto bytes = json_string_bytes(value_of(message, key));
        if (!bytes || bytes->empty()) continue;
        if (bytes->size() > max_reasoning_bytes) detail["reasoningBytes"] = bytes->size();
        detail["reasoning"] = readable(std::move(*bytes), max_reasoning_bytes);
        return;
    }
}

/// Nothing where the server does not say.
std::optional<std::uint64_t> count_of(const Members& usage, std::string_view key) {
    const std::string_view text = value_of(usage, key);
    std::uint64_t count = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), count);
    if (end.ec != std::errc() || end.ptr != text.data() + text.size() || count > most_tokens) return std::nullopt;
    return count;
}

void add_tokens(const Members& answer, ChatAnswer& read, Json& detail) {
    const auto usage = object_members(value_of(answer, "usage"));
    if (!usage) return;
    const auto prompt = count_of(*usage, "prompt_tokens");
    const auto completion = count_of(*usage, "completion_tokens");
    read.prompt_tokens = prompt.value_or(0);
    read.completion_tokens = completion.value_or(0);
    if (prompt) detail["promptTokens"] = *prompt;
    if (completion) detail["completionTokens"] = *completion;
}

/// Fails when the server says that this is no answer.
Result<Finish> checked_finish(const Members& answer, const Members& choice, const std::string& reason) {
    for (const Members* object : {&choice, &answer})
        if (const auto error = value_of(*object, "error"); !is_nothing(error))
            return garbled("it came with an error: " + refusal_text("{\"error\":" + std::string(error) + "}"));
    const Finish finish = finish_of(reason);
    if (finish == Finish::NoAnswer) return garbled("it ended with finish_reason " + reason);
    return finish;
}

}  // namespace

Result<ChatAnswer> read_chat_answer(std::string_view body) {
    const auto answer = object_members(body);
    if (!answer) return garbled("it is no JSON object: " + refusal_text(body));
    const auto first = json_first_item(value_of(*answer, "choices"), Strictness::AnyBytes);
    if (!first) return garbled("it has no choices: " + refusal_text(body));
    const auto choice = object_members(*first);
    if (!choice) return garbled("its first choice has no message");
    const std::string reason = readable(json_string_bytes(value_of(*choice, "finish_reason")).value_or(""), 64);
    const auto finish = checked_finish(*answer, *choice, reason);
    if (!finish) return tl::unexpected(finish.error());
    // A filter may leave nothing of the message.
    const auto message = object_members(value_of(*choice, "message"));
    if (!message && *finish != Finish::Filtered) return garbled("its first choice has no message");
    const auto bytes = said(message.value_or(Members()));
    if (!bytes) return tl::unexpected(bytes.error());
    ChatAnswer read;
    read.filtered = *finish == Finish::Filtered;
    read.prediction = text_prediction(*bytes, "the server's");
    Json detail = Json::object();
    add_tokens(*answer, read, detail);
    if (message) add_reasoning(*message, detail);
    // The words by which results are counted, whatever the server calls it.
    if (!reason.empty())
        detail["finishReason"] = *finish == Finish::Length     ? "length"
                                 : *finish == Finish::Filtered ? "content_filter"
                                                               : reason;
    if (read.prediction.error.empty()) read.prediction.detail = std::move(detail);
    return read;
}

std::string refusal_text(std::string_view body) {
    std::string text = error_text(parse_json(body));
    if (text.empty()) text = body.substr(0, shown_bytes);
    return one_line(readable(std::move(text), shown_bytes));
}

}  // namespace evaljob::openai
