#include "evaljob-runner/manifest/build_manifest.hpp"

#include <filesystem>
#include <utility>

#include "api/enum_names.hpp"
#include "evaljob-runner/dataset/dataset.hpp"
#include "evaljob-runner/manifest/dataset_samples.hpp"
#include "evaljob-runner/storage/files.hpp"

namespace evaljob {

namespace {

constexpr std::uint64_t most_script_bytes = std::uint64_t{64} << 20U;  // of a file that is hashed on every start

/// Of what a program and a server are asked and how their answers are read. Raise it with each change of these.
constexpr int command_revision = 2;
constexpr int server_revision = 2;

Json inference_config(const Inference& inference, const std::string& device_kind) {
    Json config{{"device", device_kind},
                {"maxBatchSize", inference.max_batch_size},
                {"threadsPerRank", inference.threads_per_rank},
                {"seed", inference.seed}};
    if (inference.precision != Precision::FP32) config["precision"] = name_of(inference.precision);
    if (inference.max_batch_tokens) config["maxBatchTokens"] = *inference.max_batch_tokens;
    if (inference.refill_rows) config["refillRows"] = *inference.refill_rows;
    if (inference.devices_per_rank.value_or(1) != 1) config["devicesPerRank"] = *inference.devices_per_rank;
    return config;
}

}  // namespace

Result<std::string> model_digest(const Model& model, const std::string& storage_root) {
    const std::string path = resolve_path(storage_root, model.path);
    auto digest = file_sha256(path);
    if (!digest) return input_failure("spec.eval.model.path", digest.error());
    if (!model.sha256.empty() && *digest != model.sha256)
        return fail("BadInput", other_sha256("spec.eval.model.sha256", path, *digest, model.sha256));
    return digest;
}

/// What decides a program's answers, as far as it can be seen from here.
Result<Json> command_config(const Model& model, const std::string& storage_root) {
    const std::string folder = resolve_path(storage_root, model.path);
    Json files = Json::object();
    for (const std::string& word : model.command) {
        const std::filesystem::path path(word);
        std::error_code unknown;
        if (path.is_absolute() || !std::filesystem::is_regular_file(folder / path, unknown)) continue;
        if (std::filesystem::file_size(folder / path, unknown) > most_script_bytes || unknown) continue;
        const auto digest = file_sha256((folder / path).string());
        if (!digest) return input_failure("spec.eval.model.command", digest.error());
        files[word] = *digest;
    }
    return Json{{"format", name_of(model.format)},
                {"revision", command_revision},
                {"command", model.command},
                {"files", std::move(files)}};
}

namespace {

/// A server is known by what is asked of it, not by where it is.
Json server_config(const Model& model) {
    Json config{{"format", name_of(model.format)}, {"revision", server_revision}, {"name", model.name}};
    if (model.content_filter != ContentFilter::Fail) config["contentFilter"] = name_of(model.content_filter);
    if (!model.system_prompt.empty()) config["systemPrompt"] = model.system_prompt;
    if (!model.parameters.empty()) config["parameters"] = model.parameters;
    return config;
}

Result<Json> model_config(const Model& model, const std::string& storage_root) {
    if (model.format == ModelFormat::Command) return command_config(model, storage_root);
    if (model.format == ModelFormat::OpenAI) return server_config(model);
    const auto digest = model_digest(model, storage_root);
    if (!digest) return tl::unexpected(digest.error());
    return Json{{"format", name_of(model.format)}, {"sha256", *digest}};
}

std::vector<ManifestBatch> plan(const Manifest& manifest, const Inference& inference) {
    if (!inference.max_batch_tokens) return plan_batches(manifest.samples, manifest.repeats, inference.max_batch_size);
    return plan_batches_by_tokens(manifest.samples, manifest.repeats, inference.max_batch_size,
                                  *inference.max_batch_tokens);
}

}  // namespace

Result<Manifest> build_manifest(const Eval& eval, const std::string& storage_root, const std::string& device_kind) {
    auto model = model_config(eval.model, storage_root);
    if (!model) return tl::unexpected(model.error());
    Manifest manifest;
    manifest.repeats = static_cast<std::uint32_t>(eval.repeats);
    Json datasets = Json::array();
    for (std::uint32_t index = 0; index < eval.datasets.size(); ++index) {
        auto config = add_samples(eval.datasets[index], index, storage_root, manifest,
                                  eval.inference.max_batch_tokens.has_value());
        if (!config) return tl::unexpected(config.error());
        datasets.push_back(std::move(*config));
    }
    manifest.config = {{"model", std::move(*model)},
                       {"datasets", std::move(datasets)},
                       {"inference", inference_config(eval.inference, device_kind)}};
    manifest.batches = plan(manifest, eval.inference);
    return manifest;
}

}  // namespace evaljob
