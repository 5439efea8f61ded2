#include "evaljob-runner/merge/output_line.hpp"

#include <algorithm>
#include <cstdint>
#include <set>

#include "api/utf8.hpp"

namespace evaljob {

namespace {

constexpr std::size_t shown_bytes = 160;  // of a value, in a message

std::string shown(const std::string& text) {
    if (text.size() <= shown_bytes) return text;
    std::size_t end = shown_bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return text.substr(0, end) + "…";
}

std::string shown(const Json& value) { return shown(value.dump(-1, ' ', false, Json::error_handler_t::replace)); }

/// Looks on while the parser works: depth, and keys that stand twice, of which the parser would keep one in silence.
class Watch {
public:
    bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
        if (event == Json::parse_event_t::object_start) keys_.emplace_back();
        if (event == Json::parse_event_t::object_end && !keys_.empty()) keys_.pop_back();
        if (event == Json::parse_event_t::key && !keys_.back().insert(parsed.get<std::string>()).second)
            refuse("has the key " + shown(parsed) + " twice");
        if (depth <= static_cast<int>(max_line_depth)) return true;
        refuse("is nested deeper than " + std::to_string(max_line_depth) + " levels");
        return false;  // thrown away, so that memory stays bounded
    }
    const std::string& refusal() const { return refusal_; }

private:
    void refuse(std::string why) {
        if (refusal_.empty()) refusal_ = std::move(why);
    }
    std::vector<std::set<std::string>> keys_;
    std::string refusal_;
};

Result<Json> parse(std::string_view line) {
    Watch watch;
    try {
        Json value = Json::parse(
            line, [&watch](int depth, Json::parse_event_t event, Json& parsed) { return watch(depth, event, parsed); });
        if (!watch.refusal().empty()) return fail("Damaged", watch.refusal());
        return value;
    } catch (const Json::exception& error) {
        const std::string what = error.what();
        const auto head = what.find("] ");  // "[json.exception.parse_error.101] "
        return fail("Damaged", "is no JSON: " + shown(head == std::string::npos ? what : what.substr(head + 2)));
    }
}

Result<std::string> id_of(const Json& object) {
    const auto found = object.find("id");
    if (found == object.end()) return fail("Damaged", "has no id: the sample's, as a string or an integer");
    if (found->is_number_integer()) return found->dump();
    if (!found->is_string()) return fail("Damaged", "id must be a string or an integer, is " + shown(*found));
    auto id = found->get<std::string>();
    if (id.empty()) return fail("Damaged", "id is empty");
    if (id.size() > max_id_bytes)
        return fail("Damaged", "id must have at most " + std::to_string(max_id_bytes) + " bytes, has " +
                                   std::to_string(id.size()));
    return id;
}

}  // namespace

Result<OutputLine> read_output_line(std::string_view line) {
    if (line.size() > max_line_bytes)
        return fail("Damaged", "must have at most " + std::to_string(max_line_bytes) + " bytes, has " +
                                   std::to_string(line.size()));
    auto object = parse(line);
    if (!object) return tl::unexpected(object.error());
    if (!object->is_object()) return fail("Damaged", "must be a JSON object, is " + shown(*object));
    auto id = id_of(*object);
    if (!id) return tl::unexpected(id.error());
    OutputLine read{std::move(*id), {}, {}, {}};
    const auto prediction = object->find("prediction");
    if (prediction == object->end()) return fail("Damaged", "has no prediction (of sample \"" + read.id + "\")");
    read.prediction = std::move(*prediction);
    if (const auto error = object->find("error");
        error != object->end() && error->is_string() && !error->get_ref<const std::string&>().empty()) {
        read.error = error->get<std::string>();
        object->erase("error");
    } else if (read.prediction.is_null()) {
        read.error = "the prediction is null";
    }
    object->erase("id");
    object->erase("prediction");
    read.fields = std::move(*object);
    return read;
}

Result<Json> class_of(const Json& prediction, const std::vector<std::string>& classes) {
    if (prediction.is_string()) {
        const auto named = std::find(classes.begin(), classes.end(), prediction.get<std::string>());
        if (named != classes.end()) return Json(named - classes.begin());
    }
    const auto most = static_cast<std::int64_t>(classes.size());
    if (prediction.is_number_integer() && prediction >= 0 && (classes.empty() || prediction < most)) return prediction;
    const std::string known = classes.empty()
                                  ? "the class's number"
                                  : "the class's number, 0 to " + std::to_string(most - 1) + ", or its name";
    return fail("Damaged", "prediction must be " + known + ", is " + shown(prediction));
}

Result<Json> text_of(const Json& prediction) {
    std::string bytes;
    if (text_from_json(prediction, bytes)) return text_to_json(bytes);
    return fail("Damaged", "prediction must be a text, is " + shown(prediction));
}

}  // namespace evaljob
