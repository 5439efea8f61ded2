#include "invalid_objects.hpp"

#include <stdexcept>

#include "api/evaljob.hpp"
#include "api/yaml.hpp"
#include "golden.hpp"

namespace evaljob::test {
namespace {

const Json& table() {
    static const Json read = [] {
        auto parsed = read_yaml_file(source_path("tests/invalid_objects/objects.yaml"));
        if (!parsed) throw std::runtime_error(parsed.error().message);
        return *parsed;
    }();
    return read;
}

Json different_texts(std::size_t count) {
    Json texts = Json::array();
    for (std::size_t i = 0; i < count; ++i) texts.push_back("c" + std::to_string(i));
    return texts;
}

Json changed(const Json& row) {
    const Json none = Json::object();
    const auto member = [&row, &none](const char* key) -> const Json& { return row.contains(key) ? row[key] : none; };
    Json object = table().at("base");
    for (const Json& pointer : row.value("remove", Json::array())) {
        const Json::json_pointer at(pointer.get<std::string>());
        object.at(at.parent_pointer()).erase(at.back());
    }
    for (const auto& [pointer, value] : member("set").items()) {
        object[Json::json_pointer(pointer)] = value;
    }
    for (const auto& [pointer, length] : member("text").items()) {
        object[Json::json_pointer(pointer)] = letters(length.get<std::size_t>());
    }
    for (const auto& [pointer, count] : member("items").items()) {
        object[Json::json_pointer(pointer)] = different_texts(count.get<std::size_t>());
    }
    return object;
}

}  // namespace

Json valid_object() { return table().at("base"); }

std::vector<InvalidObject> invalid_objects() {
    std::vector<InvalidObject> objects;
    for (const Json& row : table().at("rows")) {
        std::string message;
        for (const Json& line : row.at("refused")) message += (message.empty() ? "" : "\n") + line.get<std::string>();
        objects.push_back({row.at("name").get<std::string>(), changed(row), message, row.value("server", "")});
    }
    return objects;
}

}  // namespace evaljob::test
