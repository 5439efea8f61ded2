#include "evaljob-runner/manifest/dataset_samples.hpp"

#include "evaljob-runner/dataset/dataset.hpp"

namespace evaljob {

namespace {

Json task_config(const Task& task) { return {{"type", "Classification"}, {"classes", task.classes}}; }

Json dataset_config(const Dataset& dataset, const DatasetReader& reader) {
    Json config = reader.digests();
    config["name"] = dataset.name;
    config["format"] = "IDX";
    config["samples"] = reader.size();
    config["task"] = task_config(dataset.task);
    return config;
}

}  // namespace

Result<Json> add_samples(const Dataset& dataset, std::uint32_t index, const std::string& storage_root,
                         Manifest& manifest) {
    const auto reader = open_dataset(dataset, storage_root);
    if (!reader) return tl::unexpected(reader.error());
    for (std::uint64_t i = 0; i < (*reader)->size(); ++i) {
        const Sample sample = (*reader)->sample(i);
        manifest.samples.push_back({index, sample.id, content_hash(sample), sample.target, sample.group});
    }
    return dataset_config(dataset, **reader);
}

}  // namespace evaljob
