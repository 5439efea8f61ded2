#include "evaljob-runner/manifest/build_manifest.hpp"

#include "api/digest.hpp"
#include "evaljob-runner/dataset/dataset.hpp"
#include "evaljob-runner/manifest/dataset_samples.hpp"

namespace evaljob {

namespace {

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
        auto config = add_samples(eval.datasets[index], index, storage_root, manifest);
        if (!config) return tl::unexpected(config.error());
        datasets.push_back(std::move(*config));
    }
    manifest.config = {{"model", {{"format", "TorchScript"}, {"sha256", *model}}},
                       {"datasets", std::move(datasets)},
                       {"inference", inference_config(eval.inference, device_kind)}};
    manifest.batches = plan_batches(manifest.samples, manifest.repeats, eval.inference.max_batch_size);
    return manifest;
}

}  // namespace evaljob
