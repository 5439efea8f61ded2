// The table: spec.eval.
#include "api/evaljob.hpp"
#include "api/json_read.hpp"
#include "api/schema_rows.hpp"

namespace evaljob::schema {
namespace {

/// A model that gives the same each time needs no repeats.
Rule repeats_differ(const std::string& format) {
    const std::string words =
        "repeats: with model.format " + format + " each task needs a temperature, as each time gives the same without";
    return {.cel = "self.model.format != '" + format +
                   "' || !has(self.repeats) || self.datasets.all(x, has(x.task.temperature))",
            .message = words,
            .message_expression = "",
            .check = [=](const Json& eval, const std::string& path, Violations& violations) {
                const Json& datasets = member(eval, "datasets");
                if (member(member(eval, "model"), "format") != Json(format) || member(eval, "repeats").is_null() ||
                    !datasets.is_array())
                    return;
                for (const Json& dataset : datasets)
                    if (const Json& task = member(dataset, "task"); task.is_object() && !task.contains("temperature"))
                        return violations.push_back(path + "." + words);
            }};
}

constexpr const char* tokens_by_words = "tokensBy: is used with inference.maxBatchTokens alone; set that, or remove it";

Rule tokens_are_for_batches() {
    return {.cel =
                "(has(self.inference) && has(self.inference.maxBatchTokens)) || "
                "self.datasets.all(x, !has(x.tokensBy))",
            .message = std::string("datasets[].") + tokens_by_words,
            .message_expression = "",
            .check = [](const Json& eval, const std::string& path, Violations& violations) {
                if (!member(member(eval, "inference"), "maxBatchTokens").is_null()) return;
                each_item(eval, path, "datasets", [&](const Json& dataset, const std::string& of_dataset) {
                    if (!member(dataset, "tokensBy").is_null()) violations.push_back(of_dataset + tokens_by_words);
                });
            }};
}

constexpr const char* pass_words = "task.passAt: is at most spec.eval.repeats, the answers that a sample has";

Rule answers_are_enough() {
    return {.cel =
                "self.datasets.all(x, !has(x.task.passAt) || x.task.passAt.all(k, k <= (has(self.repeats) ? "
                "self.repeats : 1)))",
            .message = std::string("datasets[].") + pass_words,
            .message_expression = "",
            .check = [](const Json& eval, const std::string& path, Violations& violations) {
                const Json& datasets = member(eval, "datasets");
                const Json& said = member(eval, "repeats");
                const std::int64_t repeats = said.is_number_integer() ? said.get<std::int64_t>() : 1;
                if (!datasets.is_array()) return;
                for (std::size_t i = 0; i < datasets.size(); ++i) {
                    const Json& task = member(datasets[i], "task");
                    if (!task.is_object()) continue;
                    for (const Json& k : member(task, "passAt"))
                        if (k.is_number_integer() && k.get<std::int64_t>() > repeats)
                            return violations.push_back(path + ".datasets[" + std::to_string(i) + "]." + pass_words);
                }
            }};
}

constexpr const char* graphs_words =
    "inference.cudaGraphs: Auto needs task.type Classification in every dataset: the memory of a model that writes "
    "texts grows with each token";

Rule graphs_are_for_classifiers() {
    return {.cel =
                "!has(self.inference) || !has(self.inference.cudaGraphs) || self.inference.cudaGraphs != 'Auto' || "
                "self.datasets.all(x, x.task.type == 'Classification')",
            .message = graphs_words,
            .message_expression = "",
            .check = [](const Json& eval, const std::string& path, Violations& violations) {
                const Json& datasets = member(eval, "datasets");
                if (member(member(eval, "inference"), "cudaGraphs") != Json("Auto") || !datasets.is_array()) return;
                for (const Json& dataset : datasets)
                    if (const Json& type = member(member(dataset, "task"), "type");
                        type.is_string() && type != Json("Classification"))
                        return violations.push_back(path + "." + graphs_words);
            }};
}

constexpr const char* texts_alone_words = "task.type: must be Generation with inference.refillRows, which is for texts";

Rule refilled_are_texts() {
    return {.cel =
                "!has(self.inference) || !has(self.inference.refillRows) || "
                "self.datasets.all(x, x.task.type == 'Generation')",
            .message = std::string("datasets[].") + texts_alone_words,
            .message_expression = "",
            .check = [](const Json& eval, const std::string& path, Violations& violations) {
                if (member(member(eval, "inference"), "refillRows").is_null()) return;
                each_item(eval, path, "datasets", [&](const Json& dataset, const std::string& of_dataset) {
                    if (const Json& type = member(member(dataset, "task"), "type");
                        type.is_string() && type != Json("Generation"))
                        violations.push_back(of_dataset + texts_alone_words);
                });
            }};
}

/// Else there is nothing that a row could be refilled with.
Rule fewer_rows_than_samples() {
    const std::string words = "refillRows: must be below maxBatchSize";
    return {.cel = "!has(self.refillRows) || self.refillRows < self.maxBatchSize",
            .message = words,
            .message_expression = "",
            .check = [=](const Json& inference, const std::string& path, Violations& violations) {
                const bool given = !member(inference, "maxBatchSize").is_null();
                const std::int64_t rows = number_of(inference, "refillRows");
                const std::int64_t samples = given ? number_of(inference, "maxBatchSize") : Inference().max_batch_size;
                if (samples > 0 && rows >= samples)
                    violations.push_back(path + "." + words + ", which is " + std::to_string(samples) + ", is " +
                                         std::to_string(rows));
            }};
}

std::vector<Rule> uses() {
    return used_with("model.format", {"TorchScript", "AOTInductor", "Command", "OpenAI"},
                     {{"datasets[].task.prompt", {"OpenAI"}},
                      {"inference.maxConcurrency", {"OpenAI"}},
                      {"inference.devicesPerRank", {"Command"}},
                      {"inference.backend", {"TorchScript", "AOTInductor"}},
                      {"inference.cudaGraphs", {"TorchScript", "AOTInductor"}},
                      {"inference.precision", {"TorchScript"}},
                      {"inference.refillRows", {"TorchScript"}},
                      {"inference.startupTimeoutSeconds", {"Command", "OpenAI"}},
                      {"inference.sampleTimeoutSeconds", {"Command", "OpenAI"}}});
}

std::vector<Field> inference_fields() {
    const std::string inference = "spec.eval.inference";
    return {
        {.path = inference,
         .type = Type::Object,
         .text = "How the model is run.",
         .fallback = "{}",
         .rules = {refused_value_with("device", "CPU", "backend", "NCCL"),
                   refused_value_with("device", "CPU", "cudaGraphs", "Auto"), fewer_rows_than_samples()}},
        {.path = inference + ".device",
         .type = Type::String,
         .text = "Auto: CUDA where the node has a GPU for each of its ranks, else CPU. CUDA: the device is that of "
                 "LOCAL_RANK, "
                 "which must exist.",
         .fallback = "\"Auto\"",
         .values = {"Auto", "CPU", "CUDA"}},
        {.path = inference + ".maxBatchSize",
         .type = Type::Integer,
         .text = "Samples that share a batch. Batches are planned before the run, so this is part of the evaluation's "
                 "identity.",
         .fallback = "32",
         .minimum = 1,
         .maximum = 65536},
        {.path = inference + ".maxBatchTokens",
         .type = Type::Integer,
         .text = "What a batch may take: its size times the tokens of its longest sample, to which the others are "
                 "padded. Batches are then of samples of like length, the longest first, and no larger than "
                 "maxBatchSize; a sample that is longer has a batch to itself. How many tokens a sample has, its "
                 "dataset's tokensBy says, or it is estimated: one for each byte of text, 1024 for an image "
                 "(docs/runner.md). Part of the evaluation's identity. Absent: batches in the samples' order.",
         .minimum = 1,
         .maximum = 2147483647},
        {.path = inference + ".refillRows",
         .type = Type::Integer,
         .text = "TorchScript, Generation: how many texts of a batch are computed at a time. When some have ended, the "
                 "batch's next samples take their rows; maxBatchSize, several times as much, is then what is planned "
                 "and leased together (docs/runner.md). The model needs a method refill. Part of the evaluation's "
                 "identity. Absent: all of a batch, until the longest has ended.",
         .minimum = 1,
         .maximum = 65535},
        {.path = inference + ".precision",
         .type = Type::String,
         .text = "TorchScript: what the model computes in. FP32: in what its file has, on inputs in single precision. "
                 "BF16, FP16: the floating point numbers of the model and of its input are converted; every operation "
                 "of the model must bear that, and on the CPU libtorch must have it. Part of the evaluation's "
                 "identity.",
         .fallback_words = "FP32 with TorchScript",
         .values = {"FP32", "BF16", "FP16"}},
        {.path = inference + ".threadsPerRank",
         .type = Type::Integer,
         .text = "Threads that one operation of a rank may use on the CPU.",
         .fallback = "1",
         .minimum = 1,
         .maximum = 1024},
        {.path = inference + ".devicesPerRank",
         .type = Type::Integer,
         .text = "Command: how many GPUs a rank's program sees, for a model that is larger than one: those from "
                 "LOCAL_RANK times this on. Part of the evaluation's identity.",
         .fallback_words = "1 with Command",
         .minimum = 1,
         .maximum = 64},
        {.path = inference + ".seed",
         .type = Type::Integer,
         .text = "Seeds of samples derive from it and from the sample's id.",
         .fallback = "0",
         .wide = true},
        {.path = inference + ".schedule",
         .type = Type::String,
         .text =
             "Who evaluates which batch. Dynamic: whoever is free takes the one that is predicted to take longest, and "
             "the last ones are run twice where a rank lags. Static: rank r takes the batches r, r + WORLD_SIZE, "
             "r + 2 WORLD_SIZE … in order, and others' only when those are lost. The results are the same.",
         .fallback = "\"Dynamic\"",
         .values = {"Dynamic", "Static"}},
        {.path = inference + ".backend",
         .type = Type::String,
         .text =
             "How nodes come by the model's file, which each has in memory once for all its ranks. None: each reads "
             "it. Gloo, and on GPUs NCCL: those that are there at the start are a group, in which one reads and sends "
             "it to the others; a node that is late or loses the group reads it. Auto: Gloo for files from 64 MiB on.",
         .fallback_words = "Auto",
         .values = {"Auto", "NCCL", "Gloo", "None"}},
        {.path = inference + ".cudaGraphs",
         .type = Type::String,
         .text = "TorchScript and AOTInductor on GPUs, for models that classify. Auto: what a batch of one size makes "
                 "the GPU do is recorded as a CUDA graph, which is replayed from then on where it gives the same bytes "
                 "in less time. Has never been run on a GPU, hence None. The results are the same.",
         .fallback_words = "None",
         .values = {"None", "Auto"}},
        {.path = inference + ".startupTimeoutSeconds",
         .type = Type::Integer,
         .text =
             "Command: how long a program may take to say that it is ready. OpenAI: how long the server may take to "
             "be ready, and be away in the middle of a run.",
         .fallback_words = "600 with Command and OpenAI",
         .minimum = 1,
         .maximum = 86400},
        {.path = inference + ".sampleTimeoutSeconds",
         .type = Type::Integer,
         .text = "Command: a program that has samples and gives no answer for so long is ended and started again. "
                 "OpenAI: a request without its whole answer after so long is given up, and tried again.",
         .fallback_words = "600 with Command and OpenAI",
         .minimum = 1,
         .maximum = 86400},
        {.path = inference + ".maxConcurrency",
         .type = Type::Integer,
         .text =
             "OpenAI: the most requests that a rank has open at a time; it has fewer while the server refuses some.",
         .fallback_words = "32 with OpenAI",
         .minimum = 1,
         .maximum = 1024},
        {.path = inference + ".backupLeases",
         .type = Type::String,
         .text =
             "Dynamic: whether the last batches are leased to a second rank while the first one still computes them. "
             "The first that reports counts. Auto: yes, but not with OpenAI, where each answer may have its price.",
         .fallback_words = "Auto",
         .values = {"Auto", "Always", "Never"}},
    };
}

}  // namespace

std::vector<Field> eval_fields() {
    const std::string dataset = "spec.eval.datasets[]";
    std::vector<Field> fields{
        {.path = "spec.eval",
         .type = Type::Object,
         .text = "What the built-in runner evaluates. Leave it out to run an image, or in local mode a program, of "
                 "your own: spec.template must then have a container `runner` with a command or an image.",
         .rules = {all_fixed_with("model.format", "Command", "datasets", "format", {"JSONL", "TSV"}),
                   all_fixed_with("model.format", "Command", "datasets", "task.type", {"Generation"}),
                   all_fixed_with("model.format", "OpenAI", "datasets", "format", {"JSONL", "TSV"}),
                   all_fixed_with("model.format", "OpenAI", "datasets", "task.type", {"Generation"}),
                   refused_value_with("model.format", "OpenAI", "inference.device", "CUDA"),
                   repeats_differ("TorchScript"), repeats_differ("AOTInductor"), tokens_are_for_batches(),
                   answers_are_enough(), graphs_are_for_classifiers(), refilled_are_texts()}}};
    add(fields.front().rules, uses());
    add(fields, model_fields());
    add(fields, server_fields());
    fields.push_back({.path = "spec.eval.datasets",
                      .type = Type::Array,
                      .text = "What the model is evaluated on, each with its own score.",
                      .required = true,
                      .min_items = 1,
                      .max_items = 64,
                      .key = "name"});
    auto rules = dataset_rules({{"tokensBy", {"JSONL", "TSV"}}});
    add(rules, task_rules("format"));
    fields.push_back({.path = dataset, .type = Type::Object, .text = "One dataset.", .rules = std::move(rules)});
    add(fields, dataset_fields(dataset));
    fields.push_back({.path = dataset + ".tokensBy",
                      .type = Type::String,
                      .text = "JSONL, TSV, with inference.maxBatchTokens: the member of each sample that says how many "
                              "tokens it has, an integer. It is part of the sample's input too.",
                      .min_length = 1,
                      .max_length = 256,
                      .form = &text_form});
    add(fields, task_fields(dataset + ".task", {{"scorer", {"Generation"}}, {"passAt", {"Generation"}}}));
    fields.push_back({.path = dataset + ".task.passAt",
                      .type = Type::Array,
                      .text = "Generation, with repeats: for each k, pass@k: the chance that one of k answers to a "
                              "sample is right, that is, has 1 by the first metric (docs/results.md).",
                      .min_items = 1,
                      .max_items = 16,
                      .distinct = true});
    fields.push_back({.path = dataset + ".task.passAt[]",
                      .type = Type::Integer,
                      .text = "A k; at most spec.eval.repeats.",
                      .minimum = 1,
                      .maximum = 10000});
    add(fields, scorer_fields(dataset + ".task"));
    add(fields, inference_fields());
    fields.push_back({.path = "spec.eval.repeats",
                      .type = Type::Integer,
                      .text =
                          "Each sample is evaluated so often, each time with a seed of its own; every repeat counts "
                          "as a sample. With TorchScript and AOTInductor each task needs a temperature, as each time "
                          "would give the same without.",
                      .fallback_words = "1",
                      .minimum = 1,
                      .maximum = 10000});
    fields.push_back({.path = "spec.eval.retryFailed",
                      .type = Type::Boolean,
                      .text = "Samples that failed in an earlier run of the same evaluation are tried again, even "
                              "when there are no more of them than merge.maxFailedSamples. More are always tried "
                              "again. No part of the evaluation's identity.",
                      .fallback_words = "false"});
    return fields;
}

}  // namespace evaljob::schema
