#include <algorithm>

#include "api/json_read.hpp"
#include "api/json_text.hpp"
#include "evaljob-runner/engine/engine_text.hpp"
#include "evaljob-runner/engine/openai/chat_answer.hpp"

namespace evaljob::openai {

namespace {

constexpr std::size_t most_names = 1000;  // that are kept

/// The list itself: OpenAI has it in `data`, Ollama in `models`, others answer with it.
const Json& list_of(const Json& answer) {
    if (answer.is_array()) return answer;
    const Json& data = member(answer, "data");
    return data.is_array() ? data : member(answer, "models");
}

std::string name_of(const Json& model) {
    if (model.is_string()) return model.get<std::string>();
    for (const char* key : {"id", "name", "model"})
        if (std::string name = text_of(model, key); !name.empty()) return name;
    return "";
}

/// By its name, without the folder that Gemini puts in front and the tag that Ollama puts behind, or by an alias.
bool is_called(const Json& model, std::string_view wanted) {
    const std::string name = name_of(model);
    if (name == wanted || name == "models/" + std::string(wanted) || name == std::string(wanted) + ":latest")
        return true;
    if (!model.is_object()) return false;
    for (const char* key : {"name", "model"})
        if (text_of(model, key) == wanted) return true;
    const Json& aliases = member(model, "aliases");
    return aliases.is_array() && std::any_of(aliases.begin(), aliases.end(), [&](const Json& alias) {
               return alias.is_string() && alias.get<std::string>() == wanted;
           });
}

bool has_further_page(const Json& answer) {
    if (!answer.is_object()) return false;
    if (flag_of(answer, "has_more")) return true;
    for (const char* key : {"next", "next_page", "next_page_token", "nextPageToken"})
        if (const Json& next = member(answer, key); !next.is_null() && next != "" && next != false) return true;
    return false;
}

}  // namespace

Result<ModelList> read_models(std::string_view body, std::string_view wanted) {
    const Json answer = parse_json(body);
    const Json& models = list_of(answer);
    if (!models.is_array())
        return fail("Garbled", "it is no list of models: " + refusal_text(body), answer.is_structured());
    ModelList list;
    list.is_complete = !has_further_page(answer);
    list.count = models.size();
    for (const Json& model : models) {
        if (list.names.size() < most_names) list.names.push_back(readable(name_of(model), 256));
        if (list.owner.empty() && model.is_object()) list.owner = readable(text_of(model, "owned_by"), 64);
        list.has_the_wanted = list.has_the_wanted || is_called(model, wanted);
    }
    return list;
}

}  // namespace evaljob::openai
