// The table: spec.eval.
#include "api/schema_rows.hpp"

namespace evaljob::schema {
namespace {

void add(std::vector<Field>& fields, const std::vector<Field>& part) {
    fields.insert(fields.end(), part.begin(), part.end());
}

std::vector<Field> model_fields() {
    return {
        {.path = "spec.eval.model",
         .type = Type::Object,
         .text = "The model that is evaluated.",
         .required = true,
         .rules = {needed_with("format", "TorchScript", "path"), refused_with("format", "TorchScript", "command"),
                   needed_with("format", "AOTInductor", "path"), refused_with("format", "AOTInductor", "command"),
                   needed_with("format", "Command", "command"), refused_with("format", "Command", "sha256")}},
        {.path = "spec.eval.model.format",
         .type = Type::String,
         .text =
             "How the model is stored and run. TorchScript: a file that torch.jit.save wrote. AOTInductor: "
             "a package (.pt2) of native code that torch._inductor.aoti_compile_and_package wrote. Command: a program "
             "that reads samples and writes predictions as JSON lines, one for each rank (docs/runner.md).",
         .required = true,
         .values = {"TorchScript", "AOTInductor", "Command"},
         .later_values = {"OpenAI"}},
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

std::vector<Rule> dataset_rules() {
    return {needed_with("format", "IDX", "labelsPath"), refused_with("format", "JSONL", "labelsPath"),
            refused_with("format", "JSONL", "labelsSha256")};
}

/// Of an object that has both the dataset's format and its task.
std::vector<Rule> task_rules(const std::string& format) {
    return {fixed_with(format, "IDX", "task.type", "Classification"),
            fixed_with(format, "JSONL", "task.type", "Generation")};
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
             "texts of which each is right) have their meaning, all else is the sample's input.",
         .required = true,
         .values = {"IDX", "JSONL"},
         .later_values = {"TSV"}},
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
                   refused_with("type", "Generation", "classes")}},
        {.path = task + ".type",
         .type = Type::String,
         .text = "Classification: the class of the greatest output is the prediction. Generation: the prediction is a "
                 "text.",
         .required = true,
         .values = {"Classification", "Generation"},
         .later_values = {"MultipleChoice"}},
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
             "which overlooks case, punctuation, English articles and white space.",
         .fallback_words = "[ExactMatch] with Generation",
         .min_items = 1,
         .max_items = 16,
         .distinct = true},
        {.path = task + ".metrics[]",
         .type = Type::String,
         .text = "One metric.",
         .values = {"ExactMatch", "NormalizedExactMatch"}},
        {.path = task + ".groupBy",
         .type = Type::String,
         .text =
             "Generation: the member of each sample, a text, an integer or a boolean, by which metrics are grouped. "
             "Absent: no groups.",
         .min_length = 1,
         .max_length = 256,
         .form = &text_form},
        {.path = task + ".maxNewTokens",
         .type = Type::Integer,
         .text = "Generation: handed to the program with each sample; how it counts tokens is its own affair. Absent: "
                 "not handed.",
         .minimum = 1,
         .maximum = 16777216},
        later(task + ".scorer", Type::Object),
    };
}

std::vector<Field> inference_fields() {
    const std::string inference = "spec.eval.inference";
    return {
        {.path = inference, .type = Type::Object, .text = "How the model is run.", .fallback = "{}"},
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
        {.path = inference + ".threadsPerRank",
         .type = Type::Integer,
         .text = "Threads that one operation of a rank may use on the CPU.",
         .fallback = "1",
         .minimum = 1,
         .maximum = 1024},
        {.path = inference + ".seed",
         .type = Type::Integer,
         .text = "Seeds of samples derive from it and from the sample's id.",
         .fallback = "0",
         .wide = true},
        {.path = inference + ".backend",
         .type = Type::String,
         .text =
             "How nodes come by the model's file, which each has in memory once for all its ranks. None: each reads "
             "it. Gloo: those that are there at the start are a group, in which one reads and sends it to the "
             "others; a node that is late or loses the group reads it. Auto: Gloo for files from 64 MiB on.",
         .fallback_words = "Auto",
         .values = {"Auto", "Gloo", "None"},
         .later_values = {"NCCL"}},
        {.path = inference + ".startupTimeoutSeconds",
         .type = Type::Integer,
         .text = "Command: how long a program may take to say that it is ready.",
         .fallback_words = "600 with Command",
         .minimum = 1,
         .maximum = 86400},
        {.path = inference + ".sampleTimeoutSeconds",
         .type = Type::Integer,
         .text = "Command: a program that has samples and gives no answer for so long is ended and started again.",
         .fallback_words = "600 with Command",
         .minimum = 1,
         .maximum = 86400},
        later(inference + ".devicesPerRank", Type::Integer),
        later(inference + ".precision", Type::String),
        later(inference + ".maxBatchTokens", Type::Integer),
        later(inference + ".schedule", Type::String),
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
         .rules = {all_fixed_with("model.format", "TorchScript", "datasets", "format", "IDX"),
                   all_fixed_with("model.format", "AOTInductor", "datasets", "format", "IDX"),
                   all_fixed_with("model.format", "Command", "datasets", "format", "JSONL"),
                   refused_with("model.format", "TorchScript", "repeats"),
                   refused_with("model.format", "AOTInductor", "repeats"),
                   refused_with("model.format", "TorchScript", "inference.startupTimeoutSeconds"),
                   refused_with("model.format", "TorchScript", "inference.sampleTimeoutSeconds"),
                   refused_with("model.format", "AOTInductor", "inference.startupTimeoutSeconds"),
                   refused_with("model.format", "AOTInductor", "inference.sampleTimeoutSeconds"),
                   refused_with("model.format", "Command", "inference.backend")}}};
    add(fields, model_fields());
    fields.push_back({.path = "spec.eval.datasets",
                      .type = Type::Array,
                      .text = "What the model is evaluated on, each with its own score.",
                      .required = true,
                      .min_items = 1,
                      .max_items = 64,
                      .key = "name"});
    auto rules = dataset_rules();
    for (Rule& rule : task_rules("format")) rules.push_back(std::move(rule));
    fields.push_back({.path = dataset, .type = Type::Object, .text = "One dataset.", .rules = std::move(rules)});
    add(fields, dataset_fields(dataset));
    add(fields, task_fields(dataset + ".task"));
    add(fields, inference_fields());
    fields.push_back({.path = "spec.eval.repeats",
                      .type = Type::Integer,
                      .text =
                          "Each sample is evaluated so often, each time with a seed of its own; every repeat counts "
                          "as a sample. Not with TorchScript and AOTInductor, which would give the same each time.",
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
    return fields;
}

}  // namespace evaljob::schema
