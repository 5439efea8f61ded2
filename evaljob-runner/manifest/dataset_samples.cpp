#include "evaljob-runner/manifest/dataset_samples.hpp"

#include <unordered_map>

#include "api/enum_names.hpp"
#include "evaljob-runner/dataset/dataset.hpp"
#include "evaljob-runner/dataset/sample_tokens.hpp"

namespace evaljob {

namespace {

/// Of what is asked for a sample, how an answer is read and how texts are compared. Raise it with each change of these:
/// a run that an older version has begun is then refused, not continued into a mixture.
constexpr int text_task_revision = 2;

Json task_config(const Task& task) {
    if (task.type == TaskType::Classification) return {{"type", "Classification"}, {"classes", task.classes}};
    Json config{{"type", name_of(task.type)}, {"revision", text_task_revision}, {"metrics", Json::array()}};
    for (const TaskMetric metric : task.metrics) config["metrics"].push_back(name_of(metric));
    if (task.targets != Targets::Auto) config["targets"] = name_of(task.targets);
    if (!task.group_by.empty()) config["groupBy"] = task.group_by;
    if (task.max_new_tokens) config["maxNewTokens"] = *task.max_new_tokens;
    if (!task.prompt.empty()) config["prompt"] = task.prompt;
    if (!task.temperature.empty()) config["temperature"] = task.temperature;
    if (!task.top_p.empty()) config["topP"] = task.top_p;
    if (!task.stop.empty()) config["stop"] = task.stop;
    if (!task.pass_at.empty()) config["passAt"] = task.pass_at;
    return config;
}

/// What a person should know of the samples before the run, and of the result behind it.
struct Remarkable {
    std::uint64_t target_lists = 0;       // TSV: answers that were read as a list of right ones
    std::uint64_t unreadable_images = 0;  // TSV: samples that will fail

    void add(const Dataset& dataset, const Sample& sample) {
        if (dataset.format == DatasetFormat::TSV && sample.target.is_array()) ++target_lists;
        if (!sample.image_error.empty()) ++unreadable_images;
    }
};

Json dataset_config(const Dataset& dataset, const DatasetReader& reader, const Remarkable& remarkable) {
    Json config = reader.digests();
    if (remarkable.target_lists > 0) config["targetLists"] = remarkable.target_lists;
    if (remarkable.unreadable_images > 0) config["unreadableImages"] = remarkable.unreadable_images;
    config["name"] = dataset.name;
    config["format"] = name_of(dataset.format);
    config["samples"] = reader.size();
    config["task"] = task_config(dataset.task);
    return config;
}

}  // namespace

Result<Json> add_samples(const Dataset& dataset, std::uint32_t index, const std::string& storage_root,
                         Manifest& manifest, bool count_tokens) {
    const auto reader = open_dataset(dataset, storage_root);
    if (!reader) return tl::unexpected(reader.error());
    std::unordered_map<std::string, std::uint64_t> places;
    Remarkable remarkable;
    for (std::uint64_t i = 0; i < (*reader)->size(); ++i) {
        const auto sample = (*reader)->sample(i);
        if (!sample) return tl::unexpected(sample.error());
        const auto [first, is_new] = places.emplace(sample->id, i);
        if (!is_new)
            return bad_input(dataset, "path: " + (*reader)->place(i) + ": has the id \"" + sample->id + "\", which " +
                                          (*reader)->place(first->second) + " has too; give each sample its own");
        remarkable.add(dataset, *sample);
        const auto tokens = count_tokens ? tokens_of(*sample, dataset.tokens_by) : Result<std::uint64_t>(0);
        if (!tokens) return bad_input(dataset, "path: " + (*reader)->place(i) + ": " + tokens.error().message);
        const std::uint64_t bytes = sample->bytes.size() + sample->input.size();
        manifest.samples.push_back(
            {index, sample->id, content_hash(*sample), sample->target, sample->group, bytes, *tokens});
    }
    return dataset_config(dataset, **reader, remarkable);
}

std::vector<std::string> dataset_notes(const Manifest& manifest) {
    std::vector<std::string> notes;
    for (const Json& dataset : manifest.config.value("datasets", Json::array())) {
        const std::string head = "dataset " + dataset.value("name", std::string()) + ": ";
        const std::string of = " of " + std::to_string(dataset.value("samples", std::uint64_t{0})) + " samples ";
        if (const auto lists = dataset.value("targetLists", std::uint64_t{0}); lists > 0)
            notes.push_back(
                head + "the answer of " + std::to_string(lists) + of +
                "is a list of quoted texts, of which each is right; task.targets: Text takes it for one text");
        if (const auto lost = dataset.value("unreadableImages", std::uint64_t{0}); lost > 0)
            notes.push_back(head + "the image_path of " + std::to_string(lost) + of +
                            "cannot be read; these samples fail, and the results say why");
    }
    return notes;
}

}  // namespace evaljob
