#include "api/metric_json.hpp"

#include "api/json_read.hpp"

namespace evaljob {

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
