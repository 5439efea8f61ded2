#include "evaljob-runner/manifest/build_manifest.hpp"

#include "api/digest.hpp"
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

Json inference_config(const Inference& inference, const std::string& device_kind) {
    return {{"device", device_kind},
            {"maxBatchSize", inference.max_batch_size},
            {"threadsPerRank", inference.threads_per_rank},
            {"seed", inference.seed}};
}

}  // namespace

Result<std::string> model_digest(const Model& model, const std::string& storage_root) {
    const std::string path = resolve_path(storage_root, model.path);
    auto digest = sha256_file(path);
    if (!digest) return fail("BadInput", unreadable("spec.eval.model.path", digest.error()));
    if (!model.sha256.empty() && *digest != model.sha256)
        return fail("BadInput", other_sha256("spec.eval.model.sha256", path, *digest, model.sha256));
    return digest;
}

Result<Manifest> build_manifest(const Eval& eval, const std::string& storage_root, const std::string& device_kind) {
    const auto model = model_digest(eval.model, storage_root);
    if (!model) return tl::unexpected(model.error());
    Manifest manifest;
    Json datasets = Json::array();
    for (std::uint32_t index = 0; index < eval.datasets.size(); ++index) {
        const Dataset& dataset = eval.datasets[index];
        const auto reader = open_dataset(dataset, storage_root);
        if (!reader) return tl::unexpected(reader.error());
        datasets.push_back(dataset_config(dataset, **reader));
        for (std::uint64_t i = 0; i < (*reader)->size(); ++i) {
            const Sample sample = (*reader)->sample(i);
            manifest.samples.push_back({index, sample.id, content_hash(sample), sample.target, sample.group});
        }
    }
    manifest.config = {{"model", {{"format", "TorchScript"}, {"sha256", *model}}},
                       {"datasets", std::move(datasets)},
                       {"inference", inference_config(eval.inference, device_kind)}};
    manifest.batches = plan_batches(manifest.samples, manifest.repeats, eval.inference.max_batch_size);
    return manifest;
}

}  // namespace evaljob
