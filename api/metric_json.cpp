#include "api/metric_json.hpp"

namespace evaljob {

std::string text_of(const Json& object, const char* key) {
    if (!object.is_object()) return {};
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::int64_t number_of(const Json& object, const char* key) {
    if (!object.is_object()) return 0;
    const auto found = object.find(key);
    return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

bool flag_of(const Json& object, const char* key) {
    if (!object.is_object()) return false;
    const auto found = object.find(key);
    return found != object.end() && found->is_boolean() && found->get<bool>();
}

Json metric_to_json(const Metric& metric) {
    Json object{
        {"dataset", metric.dataset}, {"name", metric.name}, {"value", metric.value}, {"samples", metric.samples}};
    if (!metric.group.empty()) object["group"] = metric.group;
    if (!metric.stderr_.empty()) object["stderr"] = metric.stderr_;
    return object;
}

Metric metric_from_json(const Json& object) {
    return Metric{.dataset = text_of(object, "dataset"),
                  .name = text_of(object, "name"),
                  .group = text_of(object, "group"),
                  .value = text_of(object, "value"),
                  .stderr_ = text_of(object, "stderr"),
                  .samples = number_of(object, "samples")};
}

}  // namespace evaljob
