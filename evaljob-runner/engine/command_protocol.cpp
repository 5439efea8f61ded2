#include "evaljob-runner/engine/command_protocol.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include "api/json_members.hpp"
#include "api/utf8.hpp"

namespace evaljob {

namespace {

const JsonMember* member_of(const std::vector<JsonMember>& members, std::string_view key) {
    for (const JsonMember& member : members)
        if (member.key == key) return &member;
    return nullptr;
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<std::string> prediction_bytes(std::string_view value) {
    if (auto text = json_string_bytes(value)) return text;
    std::string bytes;
    if (value.starts_with('{') && text_from_json(Json::parse(value, nullptr, false), bytes)) return bytes;
    return std::nullopt;
}

Prediction read_prediction(const std::vector<JsonMember>& members) {
    if (const JsonMember* error = member_of(members, "error"); error && error->value != "null") {
        std::string text = json_string_bytes(error->value).value_or(std::string(error->value));
        if (!text.empty()) return failed_prediction(readable(std::move(text), max_error_bytes));
    }
    const JsonMember* given = member_of(members, "prediction");
    if (given == nullptr || given->value == "null") return failed_prediction("the program's answer has no prediction");
    auto bytes = prediction_bytes(given->value);
    if (!bytes) return failed_prediction("the program's prediction is neither a text nor {\"base64\": …}");
    Prediction prediction = text_prediction(*bytes, "the program's");
    if (!prediction.error.empty()) return prediction;
    if (const JsonMember* detail = member_of(members, "detail"); detail && detail->value != "null") {
        if (detail->value.size() > max_detail_bytes)
            return failed_prediction("the program's detail has " + std::to_string(detail->value.size()) +
                                     " bytes; at most " + std::to_string(max_detail_bytes) + " are taken");
        prediction.detail = parse_json(detail->value);
        if (!prediction.detail.is_object()) return failed_prediction("the program's detail is no JSON object in UTF-8");
    }
    return prediction;
}

}  // namespace

std::string request_line(std::uint64_t number, const Request& request, const Dataset& dataset,
                         const std::string& folder) {
    std::string line = "{\"request\":" + std::to_string(number) + ",\"id\":" + Json(request.sample.id).dump() +
                       ",\"dataset\":" + Json(dataset.name).dump() +
                       ",\"folder\":" + Json(folder).dump(-1, ' ', false, Json::error_handler_t::replace) +
                       ",\"repeat\":" + std::to_string(request.repeat) + ",\"seed\":" + std::to_string(request.seed);
    const Task& task = dataset.task;
    if (task.max_new_tokens) line += ",\"maxNewTokens\":" + std::to_string(*task.max_new_tokens);
    if (!task.temperature.empty()) line += ",\"temperature\":" + task.temperature;  // numbers, as they stand
    if (!task.top_p.empty()) line += ",\"topP\":" + task.top_p;
    if (!task.stop.empty()) line += ",\"stop\":" + Json(task.stop).dump();
    return line + ",\"input\":" + request.sample.input + "}\n";
}

std::variant<Noise, Ready, Answer> read_program_line(std::string_view line) {
    if (line.find('{') == std::string_view::npos) return Noise{};
    const auto members = json_members(line, Strictness::AnyBytes);
    if (!members) return Noise{};
    if (const JsonMember* request = member_of(*members, "request")) {
        const auto number = whole_number(request->value);
        if (!number) return Noise{};
        return Answer{*number, read_prediction(*members)};
    }
    const JsonMember* ready = member_of(*members, "ready");
    if (ready == nullptr || ready->value != "true") return Noise{};
    const JsonMember* library = member_of(*members, "library");
    const auto name = library ? json_string_bytes(library->value) : std::nullopt;
    return Ready{readable(name.value_or(""), 256)};
}

}  // namespace evaljob
