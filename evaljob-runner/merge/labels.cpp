#include "evaljob-runner/merge/labels.hpp"

namespace evaljob {

namespace {

const Json* member(const Json* object, const char* name) {
    if (!object || !object->is_object()) return nullptr;
    auto found = object->find(name);
    return found == object->end() ? nullptr : &*found;
}

const Json* dataset_config(const Manifest& manifest, std::uint32_t dataset) {
    const Json* datasets = member(&manifest.config, "datasets");
    if (!datasets || !datasets->is_array() || dataset >= datasets->size()) return nullptr;
    return &(*datasets)[dataset];
}

}  // namespace

std::size_t dataset_count(const Manifest& manifest) {
    const Json* datasets = member(&manifest.config, "datasets");
    return datasets && datasets->is_array() ? datasets->size() : 1;
}

std::string dataset_name(const Manifest& manifest, std::uint32_t dataset) {
    const Json* name = member(dataset_config(manifest, dataset), "name");
    if (name && name->is_string()) return name->get<std::string>();
    return "dataset-" + std::to_string(dataset);
}

std::vector<std::string> class_names(const Manifest& manifest, std::uint32_t dataset) {
    const Json* classes = member(member(dataset_config(manifest, dataset), "task"), "classes");
    std::vector<std::string> names;
    if (!classes || !classes->is_array()) return names;
    for (const Json& name : *classes) names.push_back(name.is_string() ? name.get<std::string>() : name.dump());
    return names;
}

std::vector<std::string> task_metrics(const Manifest& manifest, std::uint32_t dataset) {
    const Json* task = member(dataset_config(manifest, dataset), "task");
    const Json* metrics = member(task, "metrics");
    const Json* type = member(task, "type");
    std::vector<std::string> names;
    if (!type || *type == "Classification" || !metrics || !metrics->is_array()) return names;
    for (const Json& name : *metrics)
        if (name.is_string()) names.push_back(name.get<std::string>());
    return names;
}

std::vector<std::uint32_t> task_pass_at(const Manifest& manifest, std::uint32_t dataset) {
    const Json* ks = member(member(dataset_config(manifest, dataset), "task"), "passAt");
    std::vector<std::uint32_t> pass_at;
    if (!ks || !ks->is_array()) return pass_at;
    for (const Json& k : *ks)
        if (k.is_number_unsigned() && k.get<std::uint64_t>() <= manifest.repeats)
            pass_at.push_back(k.get<std::uint32_t>());
    return pass_at;
}

std::uint64_t target_lists(const Manifest& manifest, std::uint32_t dataset) {
    const Json* lists = member(dataset_config(manifest, dataset), "targetLists");
    return lists && lists->is_number_unsigned() ? lists->get<std::uint64_t>() : 0;
}

std::string class_label(const std::vector<std::string>& names, std::int64_t number) {
    if (number >= 0 && static_cast<std::size_t>(number) < names.size()) return names[number];
    return std::to_string(number);
}

}  // namespace evaljob
