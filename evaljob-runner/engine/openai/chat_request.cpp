#include "evaljob-runner/engine/openai/chat_request.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>
#include <vector>

#include "api/base64.hpp"
#include "api/json_members.hpp"
#include "api/json_read.hpp"
#include "evaljob-runner/engine/openai/options.hpp"

namespace evaljob::openai {

namespace {

using Members = std::vector<JsonMember>;

tl::unexpected<Error> bad(const std::string& what) { return fail("BadInput", what); }

/// A text, or a list of texts.
Result<std::vector<std::string>> texts_of(const JsonMember& member) {
    if (auto one = json_string_bytes(member.value)) return std::vector{std::move(*one)};
    const Json list = Json::parse(member.value, nullptr, false);
    std::vector<std::string> texts;
    if (!list.is_array()) return bad(member.key + " must be a text or a list of texts");
    for (const Json& item : list) {
        if (!item.is_string()) return bad(member.key + " must be a text or a list of texts");
        texts.push_back(item.get<std::string>());
    }
    return texts;
}

Result<std::string> data_uri(const std::string& name, const std::string& bytes) {
    const std::string type = image_type(bytes);
    if (type.empty()) return bad(name + " is no PNG, JPEG, GIF, WebP or BMP image");
    return "data:" + type + ";base64," + base64_encode(bytes);
}

/// Of base64, or a URL as it stands.
Result<std::string> image_url(std::string text) {
    if (text.starts_with("data:") || text.starts_with("https://") || text.starts_with("http://")) return text;
    const auto bytes = base64_decode(text);
    if (!bytes) return bad("image is neither base64 nor a URL; a file's path belongs into image_path");
    return data_uri("image", *bytes);
}

Result<std::string> file_url(const std::string& path, const ReadImage& read_image) {
    const auto bytes = read_image(path);
    if (!bytes) return tl::unexpected(bytes.error());
    return data_uri("image_path " + path, *bytes);
}

/// The member, if something is in it.
const JsonMember* filled(const Members& members, const char* key) {
    const JsonMember* member = find_member(members, key);
    const bool nothing =
        member == nullptr || member->value == "null" || member->value == "\"\"" || member->value == "[]";
    return nothing ? nullptr : member;
}

bool has_one_of(const Members& members, std::initializer_list<const char*> keys) {
    return std::any_of(keys.begin(), keys.end(), [&](const char* key) { return find_member(members, key) != nullptr; });
}

/// Of the image that the dataset has read, of all that the member `image` has, or of the files that `image_path` names.
Result<std::vector<std::string>> image_urls(const Sample& sample, const Members& members, const ReadImage& read_image) {
    std::vector<std::string> urls;
    if (!sample.image.empty()) {
        auto url = data_uri("image", sample.image);
        if (!url) return tl::unexpected(url.error());
        urls.push_back(std::move(*url));
        return urls;
    }
    const JsonMember* image = filled(members, "image");
    const JsonMember* named = image ? image : filled(members, "image_path");
    if (named == nullptr && has_one_of(members, {"image", "image_path"}))
        return bad("it has no image, where the dataset has images");
    if (named == nullptr) return urls;
    auto texts = texts_of(*named);
    if (!texts) return tl::unexpected(texts.error());
    for (std::string& text : *texts) {
        auto url = image ? image_url(std::move(text)) : file_url(text, read_image);
        if (!url) return tl::unexpected(url.error());
        urls.push_back(std::move(*url));
    }
    if (urls.empty()) return bad("its list of images is empty");
    return urls;
}

/// What the user says, as a JSON string.
Result<std::string> question_of(const Members& members, const std::optional<Prompt>& prompt) {
    if (prompt) return prompt->for_sample(members);
    for (const char* key : {"prompt", "question"})
        if (const JsonMember* member = find_member(members, key)) {
            if (!member->value.starts_with('"')) return bad(std::string(key) + " must be a text");
            const auto options = member->key == "question" ? options_of(members) : std::vector<Option>();
            if (options.empty()) return std::string(member->value);
            return multiple_choice(members, member->value, options);
        }
    return bad(
        "the sample has neither messages, nor a prompt, nor a question; spec.eval.datasets[].task.prompt makes one "
        "of other members");
}

std::string with_images(const std::vector<std::string>& urls, const std::string& question) {
    if (urls.empty()) return question;
    std::string content = "[";
    for (const std::string& url : urls)
        content += R"({"type":"image_url","image_url":{"url":)" +
                   Json(url).dump(-1, ' ', false, Json::error_handler_t::replace) + "}},";
    return content + R"({"type":"text","text":)" + question + "}]";
}

/// Without the brackets of the list.
Result<std::string> messages_of(const Sample& sample, const Members& members, const std::optional<Prompt>& prompt,
                                const ReadImage& read_image) {
    const auto urls = image_urls(sample, members, read_image);
    if (!urls) return tl::unexpected(urls.error());
    const JsonMember* given = find_member(members, "messages");
    if (given != nullptr && !prompt) {
        if (!urls->empty())
            return bad("has images beside its messages; put them into the messages, or set task.prompt");
        if (!json_first_item(given->value, Strictness::Json))
            return bad("messages must be a list of messages, each with role and content");
        return std::string(given->value.substr(1, given->value.size() - 2));
    }
    const auto question = question_of(members, prompt);
    if (!question) return tl::unexpected(question.error());
    return R"({"role":"user","content":)" + with_images(*urls, *question) + "}";
}

/// What model.parameters does not say itself.
void add_sampling(const Task& task, Json& object) {
    const auto add = [&](const char* key, Json value) {
        if (!object.contains(key)) object[key] = std::move(value);
    };
    add("temperature", task.temperature.empty() ? Json(0) : Json::parse(task.temperature));
    if (!task.top_p.empty()) add("top_p", Json::parse(task.top_p));
    if (!task.stop.empty()) add("stop", task.stop);
}

}  // namespace

std::string image_type(const std::string& bytes) {
    if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return "image/png";
    if (bytes.starts_with("\xff\xd8\xff")) return "image/jpeg";
    if (bytes.starts_with("GIF8")) return "image/gif";
    if (bytes.starts_with("RIFF") && bytes.size() > 12 && bytes.compare(8, 4, "WEBP") == 0) return "image/webp";
    if (bytes.starts_with("BM") && bytes.size() > 26) return "image/bmp";
    return "";
}

Result<ChatRequest> chat_request(const Model& model, const Task& task, const std::optional<Prompt>& prompt,
                                 const Request& request, const ReadImage& read_image) {
    const auto members = json_members(request.sample.input, Strictness::Json);
    if (!members) return bad(members.error().message);
    const auto messages = messages_of(request.sample, *members, prompt, read_image);
    if (!messages) return tl::unexpected(messages.error());
    Json object = model.parameters;
    add_sampling(task, object);
    object["model"] = model.name;
    object["stream"] = false;
    ChatRequest asked{object.dump(), task.max_new_tokens, request.seed};
    std::string& body = asked.body;
    body.pop_back();
    body += ",\"messages\":[";
    if (!model.system_prompt.empty())
        body += R"({"role":"system","content":)" + Json(model.system_prompt).dump() + "},";
    body += *messages + "]";
    if (body.size() > max_request_bytes)
        return bad("the request has " + std::to_string(body.size()) + " bytes, with its images as base64; at most " +
                   std::to_string(max_request_bytes) + " are sent");
    return asked;
}

StopTexts stop_texts(const Model& model, const Task& task) {
    StopTexts stop;
    // vLLM's word for it, and SGLang's.
    stop.stay = flag_of(model.parameters, "include_stop_str_in_output") || flag_of(model.parameters, "no_stop_trim");
    const Json& given = member(model.parameters, "stop");
    if (!model.parameters.contains("stop")) {
        stop.texts = task.stop;
    } else if (given.is_string()) {
        stop.texts.push_back(given.get<std::string>());
    } else if (given.is_array()) {
        for (const Json& text : given)
            if (text.is_string()) stop.texts.push_back(text.get<std::string>());
    }
    return stop;
}

}  // namespace evaljob::openai
