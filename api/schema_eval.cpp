// The table: spec.eval.
#include "api/json_read.hpp"
#include "api/schema_rows.hpp"

namespace evaljob::schema {
namespace {

void add(std::vector<Field>& fields, const std::vector<Field>& part) {
    fields.insert(fields.end(), part.begin(), part.end());
}

std::vector<Rule> model_rules() {
    std::vector<Rule> rules{
        needed_with("format", "TorchScript", "path"),    refused_with("format", "TorchScript", "command"),
        needed_with("format", "Command", "command"),     refused_with("format", "Command", "sha256"),
        needed_with("format", "OpenAI", "url"),          needed_with("format", "OpenAI", "name"),
        refused_with("format", "OpenAI", "path"),        refused_with("format", "OpenAI", "sha256"),
        refused_with("format", "OpenAI", "command"),     needed_with("format", "AOTInductor", "path"),
        refused_with("format", "AOTInductor", "command")};
    for (const char* format : {"TorchScript", "AOTInductor", "Command"})
        for (const char* key : {"url", "name", "apiKeyVariable", "systemPrompt", "parameters"})
            rules.push_back(refused_with("format", format, key));
    return rules;
}

/// What is said in each request to a server, and where it comes from; model.parameters may not say it too.
std::vector<Field> taken_parameters() {
    const auto taken = [](const char* name, Type type, const char* words) {
        Field field{.path = std::string("spec.eval.model.parameters.") + name,
                    .type = type,
                    .text = "Refused; the runner sets it.",
                    .taken = words};
        if (type == Type::String) field.max_length = 253;
        if (type == Type::Array) field.max_items = 1;
        return field;
    };
    return {taken("model", Type::String, "is spec.eval.model.name; remove it"),
            taken("messages", Type::Array, "come from the samples; remove them"),
            taken("seed", Type::Integer, "comes from inference.seed, the sample's id and the repeat; remove it"),
            taken("max_tokens", Type::Integer, "is task.maxNewTokens; remove it"),
            taken("max_completion_tokens", Type::Integer, "is task.maxNewTokens; remove it"),
            taken("stream", Type::Boolean, "is not used; remove it"),
            taken("n", Type::Integer, "is spec.eval.repeats; remove it")};
}

std::vector<Field> server_fields() {
    const std::string model = "spec.eval.model";
    std::vector<Field> fields{
        {.path = model + ".url",
         .type = Type::String,
         .text = "OpenAI: the base URL of the server, \"http://localhost:8000/v1\" for one beside the runner. It is no "
                 "part of the evaluation's identity.",
         .max_length = 2048,
         .form = &url_form},
        {.path = model + ".name",
         .type = Type::String,
         .text = "OpenAI: the model, as the server calls it.",
         .min_length = 1,
         .max_length = 256,
         .form = &text_form},
        {.path = model + ".apiKeyVariable",
         .type = Type::String,
         .text = "OpenAI: the environment variable of container `runner` that holds the key; it is sent as a bearer "
                 "token. Absent: none is sent.",
         .max_length = 256,
         .form = &variable_form},
        {.path = model + ".systemPrompt",
         .type = Type::String,
         .text = "OpenAI: a system message before each sample's messages. Absent: none.",
         .min_length = 1,
         .max_length = 65536,
         .form = &text_form},
        {.path = model + ".parameters",
         .type = Type::Object,
         .text =
             "OpenAI: further members of each request, as the server knows them: `temperature` (absent: 0), `top_p`, "
             "`stop`, `chat_template_kwargs`, …",
         .open = true},
    };
    add(fields, taken_parameters());
    return fields;
}

std::vector<Field> model_fields() {
    return {
        {.path = "spec.eval.model",
         .type = Type::Object,
         .text = "The model that is evaluated.",
         .required = true,
         .rules = model_rules()},
        {.path = "spec.eval.model.format",
         .type = Type::String,
         .text =
             "How the model is stored and run. TorchScript: a file that torch.jit.save wrote. AOTInductor: a package "
             "(.pt2) of native code that torch._inductor.aoti_compile_and_package wrote. Command: a program that reads "
             "samples and writes predictions as JSON lines, one for each rank (docs/runner.md). OpenAI: any server "
             "that "
             "speaks the chat completions of OpenAI's API, in the Pod or elsewhere.",
         .required = true,
         .values = {"TorchScript", "AOTInductor", "Command", "OpenAI"}},
        {.path = "spec.eval.model.path",
         .type = Type::String,
         .text = "TorchScript, AOTInductor: the model's file. Command: the folder that the program starts in; absent: "
                 "the one that "
                 "relative paths are relative to. A relative path is relative to the storage root; in local mode, to "
                 "the EvalJob file's folder.",
         .min_length = 1,
         .max_length = max_path_length,
         .form = &path_form},
        {.path = "spec.eval.model.sha256",
         .type = Type::String,
         .text = "TorchScript, AOTInductor: SHA-256 of the model's file. A file of another digest is refused. Absent: "
                 "not checked; "
                 "a model file "
                 "is code, so say it where others can write to the volume.",
         .max_length = 64,
         .form = &sha256_hex_form},
        {.path = "spec.eval.model.command",
         .type = Type::Array,
         .text = "Command: the program and its arguments, without a shell. Arguments that name small files below the "
                 "folder that it starts in, such as scripts, are part of the evaluation's identity with their content.",
         .min_items = 1,
         .max_items = 256},
        {.path = "spec.eval.model.command[]",
         .type = Type::String,
         .text = "One argument.",
         .min_length = 1,
         .max_length = 4096,
         .form = &text_form},
    };
}

constexpr const char* repeats_words =
    "repeats: with model.format TorchScript each task needs a temperature, as each time gives the same without";

/// A model that gives the same each time needs no repeats.
Rule repeats_differ() {
    return {.cel =
                "self.model.format != 'TorchScript' || !has(self.repeats) || "
                "self.datasets.all(x, has(x.task.temperature))",
            .message = repeats_words,
            .message_expression = "",
            .check = [](const Json& eval, const std::string& path, Violations& violations) {
                const Json& datasets = member(eval, "datasets");
                if (member(member(eval, "model"), "format") != Json("TorchScript") ||
                    member(eval, "repeats").is_null() || !datasets.is_array())
                    return;
                for (const Json& dataset : datasets)
                    if (const Json& task = member(dataset, "task"); task.is_object() && !task.contains("temperature"))
                        return violations.push_back(path + "." + repeats_words);
            }};
}

std::vector<Rule> dataset_rules() {
    return {needed_with("format", "IDX", "labelsPath"), refused_with("format", "JSONL", "labelsPath"),
            refused_with("format", "JSONL", "labelsSha256"), refused_with("format", "TSV", "labelsPath"),
            refused_with("format", "TSV", "labelsSha256")};
}

constexpr const char* tokens_by_words = "tokensBy: is used with inference.maxBatchTokens alone; set that, or remove it";

Rule tokens_are_for_batches() {
    return {.cel =
                "(has(self.inference) && has(self.inference.maxBatchTokens)) || "
                "self.datasets.all(x, !has(x.tokensBy))",
            .message = std::string("datasets[].") + tokens_by_words,
            .message_expression = "",
            .check = [](const Json& eval, const std::string& path, Violations& violations) {
                const Json& datasets = member(eval, "datasets");
                if (!member(member(eval, "inference"), "maxBatchTokens").is_null() || !datasets.is_array()) return;
                for (std::size_t i = 0; i < datasets.size(); ++i)
                    if (!member(datasets[i], "tokensBy").is_null())
                        violations.push_back(path + ".datasets[" + std::to_string(i) + "]." + tokens_by_words);
            }};
}

/// Of an object that has both the dataset's format and its task.
std::vector<Rule> task_rules(const std::string& format) {
    return {fixed_with(format, "IDX", "task.type", "Classification"),
            fixed_with(format, "JSONL", "task.type", "Generation"),
            fixed_with(format, "TSV", "task.type", std::vector<std::string>{"Generation", "MultipleChoice"})};
}

constexpr const char* metrics_words =
    "metrics: Accuracy and NormalizedAccuracy are for MultipleChoice, and for it alone";

Rule metrics_fit() {
    return {.cel =
                "!has(self.metrics) || self.metrics.all(m, (m in ['Accuracy', 'NormalizedAccuracy']) == "
                "(self.type == 'MultipleChoice'))",
            .message = metrics_words,
            .message_expression = "",
            .check = [](const Json& task, const std::string& path, Violations& violations) {
                const Json& metrics = member(task, "metrics");
                if (!metrics.is_array()) return;
                for (const Json& metric : metrics) {
                    const bool choice = metric == Json("Accuracy") || metric == Json("NormalizedAccuracy");
                    if (metric.is_string() && choice != (member(task, "type") == Json("MultipleChoice")))
                        return violations.push_back(path + "." + metrics_words);
                }
            }};
}

std::vector<Field> dataset_fields(const std::string& dataset) {
    return {
        {.path = dataset + ".name",
         .type = Type::String,
         .text = "Name in results and metrics; no two datasets may share one.",
         .required = true,
         .min_length = 1,
         .max_length = 63,
         .form = &dns_label},
        {.path = dataset + ".format",
         .type = Type::String,
         .text =
             "How the samples are stored. IDX: the format of MNIST, gzip or plain, images and labels in a file each. "
             "JSONL: a JSON object on each line; `id` (absent: the line's number) and `target` (a text, or a list of "
             "texts of which each is right) have their meaning, all else is the sample's input. TSV: tab-separated "
             "values as VLMEvalKit has them, with columns `index`, `answer`, and `image` or `image_path`; all but "
             "index "
             "and answer is the sample's input (docs/formats.md).",
         .required = true,
         .values = {"IDX", "JSONL", "TSV"}},
        {.path = dataset + ".path",
         .type = Type::String,
         .text = "The file of the samples; IDX: the images. Relative as spec.eval.model.path.",
         .required = true,
         .min_length = 1,
         .max_length = max_path_length,
         .form = &path_form},
        {.path = dataset + ".sha256",
         .type = Type::String,
         .text = "SHA-256 of that file as it lies there (of the gzip file if it is one). Absent: not checked.",
         .max_length = 64,
         .form = &sha256_hex_form},
        {.path = dataset + ".labelsPath",
         .type = Type::String,
         .text = "IDX: the file of the labels.",
         .min_length = 1,
         .max_length = max_path_length,
         .form = &path_form},
        {.path = dataset + ".labelsSha256",
         .type = Type::String,
         .text = "IDX: SHA-256 of the labels' file as it lies there. Absent: not checked.",
         .max_length = 64,
         .form = &sha256_hex_form},
        {.path = dataset + ".limit",
         .type = Type::Integer,
         .text = "Only the first so many samples. Absent: all.",
         .minimum = 1,
         .wide = true},
    };
}

std::vector<Field> task_fields(const std::string& task) {
    return {
        {.path = task,
         .type = Type::Object,
         .text = "What is asked of the model.",
         .required = true,
         .rules = {refused_with("type", "Classification", "metrics"), refused_with("type", "Classification", "groupBy"),
                   refused_with("type", "Classification", "maxNewTokens"),
                   refused_with("type", "Classification", "temperature"),
                   refused_with("type", "Classification", "topP"), refused_with("type", "Classification", "stop"),
                   refused_with("type", "Classification", "prompt"), refused_with("type", "MultipleChoice", "prompt"),
                   needed_for("topP", "temperature"), metrics_fit(), refused_with("type", "MultipleChoice", "classes"),
                   refused_with("type", "MultipleChoice", "maxNewTokens"),
                   refused_with("type", "MultipleChoice", "temperature"),
                   refused_with("type", "MultipleChoice", "topP"), refused_with("type", "MultipleChoice", "stop"),
                   refused_with("type", "Generation", "classes")}},
        {.path = task + ".type",
         .type = Type::String,
         .text = "Classification: the class of the greatest output is the prediction. Generation: the prediction is a "
                 "text. MultipleChoice: of the texts in the columns A, B, … of a TSV dataset the one that the model "
                 "finds likeliest behind the question; the prediction is its letter.",
         .required = true,
         .values = {"Classification", "Generation", "MultipleChoice"}},
        {.path = task + ".classes",
         .type = Type::Array,
         .text = "Classification: the name of class i at index i, for the report and the metrics per class. Absent: "
                 "classes are called "
                 "by their number.",
         .max_items = 10000,
         .distinct = true},
        {.path = task + ".classes[]",
         .type = Type::String,
         .text = "The name of one class.",
         .min_length = 1,
         .max_length = 256},
        {.path = task + ".metrics",
         .type = Type::Array,
         .text =
             "Generation: how a prediction is compared with the targets, of which the best counts. The first metric "
             "is the score. ExactMatch: the same bytes. NormalizedExactMatch: the same after SQuAD's normalisation, "
             "which overlooks case, punctuation, English articles and white space. VQAAccuracy: min(1, targets that "
             "are the prediction / 3) as VQA's evaluation has it, the targets being people's answers. F1: of SQuAD, "
             "by words. ROUGEL: ROUGE-L's F-measure, without stemming. MultipleChoice: Accuracy: the letter of the "
             "likeliest text; NormalizedAccuracy: of the one that is likeliest per byte (docs/results.md).",
         .fallback_words = "[ExactMatch] with Generation, [Accuracy] with MultipleChoice",
         .min_items = 1,
         .max_items = 16,
         .distinct = true},
        {.path = task + ".metrics[]",
         .type = Type::String,
         .text = "One metric.",
         .values = {"ExactMatch", "NormalizedExactMatch", "VQAAccuracy", "F1", "ROUGEL", "Accuracy",
                    "NormalizedAccuracy"}},
        {.path = task + ".groupBy",
         .type = Type::String,
         .text = "Generation, MultipleChoice: the member of each sample, a text, an integer or a boolean, by which "
                 "metrics are grouped. "
                 "Absent: no groups.",
         .min_length = 1,
         .max_length = 256,
         .form = &text_form},
        {.path = task + ".prompt",
         .type = Type::String,
         .text =
             "OpenAI: the message of the user, in which {question} stands for the sample's member `question`, and {{ "
             "and }} for braces. Absent: the sample's `messages`, or its `prompt` or `question`.",
         .min_length = 1,
         .max_length = 65536,
         .form = &text_form},
        {.path = task + ".maxNewTokens",
         .type = Type::Integer,
         .text = "Generation: how many tokens a text may have. Absent: as many as the model says. Command and "
                 "OpenAI: handed on with each sample, when it is there; how they count tokens is their own affair.",
         .minimum = 1,
         .maximum = 16777216},
        {.path = task + ".temperature",
         .type = Type::String,
         .text = "Generation: above 0, tokens are drawn by chance, by the seed of sample and repeat; the larger, the "
                 "more evenly. Absent or \"0\": always the likeliest. Command and OpenAI: handed on as a number.",
         .max_length = 16,
         .form = &decimal_form},
        {.path = task + ".topP",
         .type = Type::String,
         .text = "Generation: of the tokens that are drawn from, only the likeliest that together have so much "
                 "probability. Absent: all. Command and OpenAI: handed on as a number.",
         .max_length = 16,
         .form = &share_form},
        {.path = task + ".stop",
         .type = Type::Array,
         .text = "Generation: texts of which each ends the answer where it begins. Command and OpenAI: handed on.",
         .min_items = 1,
         .max_items = 16,
         .distinct = true},
        {.path = task + ".stop[]",
         .type = Type::String,
         .text = "A text.",
         .min_length = 1,
         .max_length = 256,
         .form = &text_form},
    };
}

std::vector<Field> inference_fields() {
    const std::string inference = "spec.eval.inference";
    return {
        {.path = inference,
         .type = Type::Object,
         .text = "How the model is run.",
         .fallback = "{}",
         .rules = {refused_value_with("device", "CPU", "backend", "NCCL")}},
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
        {.path = inference + ".startupTimeoutSeconds",
         .type = Type::Integer,
         .text =
             "Command: how long a program may take to say that it is ready. OpenAI: how long the server may take to "
             "list its models, and be away in the middle of a run.",
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
         .rules = {all_fixed_with("model.format", "AOTInductor", "datasets", "format", {"IDX"}),
                   all_fixed_with("model.format", "AOTInductor", "datasets", "task.type", {"Classification"}),
                   all_fixed_with("model.format", "Command", "datasets", "format", {"JSONL", "TSV"}),
                   all_fixed_with("model.format", "Command", "datasets", "task.type", {"Generation"}),
                   all_fixed_with("model.format", "OpenAI", "datasets", "format", {"JSONL", "TSV"}),
                   all_fixed_with("model.format", "OpenAI", "datasets", "task.type", {"Generation"}),
                   all_refused_with("model.format", "TorchScript", "datasets", "task.prompt"),
                   all_refused_with("model.format", "AOTInductor", "datasets", "task.prompt"),
                   all_refused_with("model.format", "Command", "datasets", "task.prompt"),
                   refused_with("model.format", "TorchScript", "inference.maxConcurrency"),
                   refused_with("model.format", "AOTInductor", "inference.maxConcurrency"),
                   refused_with("model.format", "Command", "inference.maxConcurrency"),
                   refused_value_with("model.format", "OpenAI", "inference.device", "CUDA"),
                   repeats_differ(),
                   tokens_are_for_batches(),
                   refused_with("model.format", "TorchScript", "inference.devicesPerRank"),
                   refused_with("model.format", "AOTInductor", "inference.devicesPerRank"),
                   refused_with("model.format", "OpenAI", "inference.devicesPerRank"),
                   refused_with("model.format", "AOTInductor", "repeats"),
                   refused_with("model.format", "OpenAI", "inference.backend"),
                   refused_with("model.format", "AOTInductor", "inference.precision"),
                   refused_with("model.format", "Command", "inference.precision"),
                   refused_with("model.format", "OpenAI", "inference.precision"),
                   refused_with("model.format", "TorchScript", "inference.startupTimeoutSeconds"),
                   refused_with("model.format", "TorchScript", "inference.sampleTimeoutSeconds"),
                   refused_with("model.format", "AOTInductor", "inference.startupTimeoutSeconds"),
                   refused_with("model.format", "AOTInductor", "inference.sampleTimeoutSeconds"),
                   refused_with("model.format", "Command", "inference.backend")}}};
    add(fields, model_fields());
    add(fields, server_fields());
    fields.push_back({.path = "spec.eval.datasets",
                      .type = Type::Array,
                      .text = "What the model is evaluated on, each with its own score.",
                      .required = true,
                      .min_items = 1,
                      .max_items = 64,
                      .key = "name"});
    auto rules = dataset_rules();
    rules.push_back(refused_with("format", "IDX", "tokensBy"));
    for (Rule& rule : task_rules("format")) rules.push_back(std::move(rule));
    fields.push_back({.path = dataset, .type = Type::Object, .text = "One dataset.", .rules = std::move(rules)});
    add(fields, dataset_fields(dataset));
    fields.push_back({.path = dataset + ".tokensBy",
                      .type = Type::String,
                      .text = "JSONL, TSV, with inference.maxBatchTokens: the member of each sample that says how many "
                              "tokens it has, an integer. It is part of the sample's input too.",
                      .min_length = 1,
                      .max_length = 256,
                      .form = &text_form});
    auto task = task_fields(dataset + ".task");
    for (const char* type : {"Classification", "MultipleChoice"})
        task.front().rules.push_back(refused_with("type", type, "scorer"));
    add(fields, task);
    add(fields, scorer_fields(dataset + ".task"));
    add(fields, inference_fields());
    fields.push_back({.path = "spec.eval.repeats",
                      .type = Type::Integer,
                      .text =
                          "Each sample is evaluated so often, each time with a seed of its own; every repeat counts "
                          "as a sample. With TorchScript each task needs a temperature, as each time would give the "
                          "same without. Not with AOTInductor.",
                      .fallback_words = "1",
                      .minimum = 1,
                      .maximum = 10000});
    return fields;
}

std::vector<Field> expect_fields() {
    const std::string expect = "spec.merge.expect";
    std::vector<Field> fields{
        {.path = expect,
         .type = Type::Object,
         .text = "Without spec.eval alone: what the image of your own has to have evaluated. The merge then proves "
                 "that every sample is there and computes the score. Absent: the result is CompletenessUnknown, and "
                 "has no score.",
         .rules = task_rules("dataset.format")},
        {.path = expect + ".dataset",
         .type = Type::Object,
         .text = "The dataset.",
         .required = true,
         .rules = dataset_rules()}};
    add(fields, dataset_fields(expect + ".dataset"));
    add(fields, task_fields(expect + ".task"));
    fields.push_back(later(expect + ".task.scorer", Type::Object));
    return fields;
}

}  // namespace evaljob::schema
