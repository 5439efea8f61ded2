// The table: spec.eval.
#include "api/schema_rows.hpp"

namespace evaljob::schema {
namespace {

void add(std::vector<Field>& fields, const std::vector<Field>& part) {
    fields.insert(fields.end(), part.begin(), part.end());
}

std::vector<Field> model_fields() {
    return {
        {.path = "spec.eval.model", .type = Type::Object, .text = "The model that is evaluated.", .required = true},
        {.path = "spec.eval.model.format",
         .type = Type::String,
         .text = "How the model is stored and run. TorchScript: a file that torch.jit.save wrote.",
         .required = true,
         .values = {"TorchScript"},
         .later_values = {"AOTInductor", "OpenAI", "Command"}},
        {.path = "spec.eval.model.path",
         .type = Type::String,
         .text = "The model's file. A relative path is relative to the storage root; in local mode, to the EvalJob "
                 "file's folder.",
         .required = true,
         .min_length = 1,
         .max_length = max_path_length,
         .form = &path_form},
        {.path = "spec.eval.model.sha256",
         .type = Type::String,
         .text = "SHA-256 of the model's file. A file of another digest is refused. Absent: not checked; a model file "
                 "is code, so say it where others can write to the volume.",
         .max_length = 64,
         .form = &sha256_hex_form},
    };
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
             "How the samples are stored. IDX: the format of MNIST, gzip or plain, images and labels in a file each.",
         .required = true,
         .values = {"IDX"},
         .later_values = {"JSONL", "TSV"}},
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
         .text = "The file of the labels.",
         .required = true,
         .min_length = 1,
         .max_length = max_path_length,
         .form = &path_form},
        {.path = dataset + ".labelsSha256",
         .type = Type::String,
         .text = "SHA-256 of the labels' file as it lies there. Absent: not checked.",
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
        {.path = task, .type = Type::Object, .text = "What is asked of the model.", .required = true},
        {.path = task + ".type",
         .type = Type::String,
         .text = "Classification: the class of the greatest output is the prediction.",
         .required = true,
         .values = {"Classification"},
         .later_values = {"MultipleChoice", "Generation"}},
        {.path = task + ".classes",
         .type = Type::Array,
         .text = "The name of class i at index i, for the report and the metrics per class. Absent: classes are called "
                 "by their number.",
         .max_items = 10000,
         .distinct = true},
        {.path = task + ".classes[]",
         .type = Type::String,
         .text = "The name of one class.",
         .min_length = 1,
         .max_length = 256},
        later(task + ".metrics", Type::Array),
        later(task + ".groupBy", Type::String),
        later(task + ".maxNewTokens", Type::Integer),
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
        later(inference + ".devicesPerRank", Type::Integer),
        later(inference + ".backend", Type::String),
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
                 "your own: spec.template must then have a container `runner` with a command or an image."}};
    add(fields, model_fields());
    fields.push_back({.path = "spec.eval.datasets",
                      .type = Type::Array,
                      .text = "What the model is evaluated on, each with its own score.",
                      .required = true,
                      .min_items = 1,
                      .max_items = 64,
                      .key = "name"});
    fields.push_back({.path = dataset, .type = Type::Object, .text = "One dataset."});
    add(fields, dataset_fields(dataset));
    add(fields, task_fields(dataset + ".task"));
    add(fields, inference_fields());
    fields.push_back(later("spec.eval.repeats", Type::Integer));
    return fields;
}

std::vector<Field> expect_fields() {
    const std::string expect = "spec.merge.expect";
    std::vector<Field> fields{
        {.path = expect,
         .type = Type::Object,
         .text = "Without spec.eval alone: what the image of your own has to have evaluated. The merge then proves "
                 "that every sample is there and computes the score. Absent: the result is CompletenessUnknown, and "
                 "has no score."},
        {.path = expect + ".dataset", .type = Type::Object, .text = "The dataset.", .required = true}};
    add(fields, dataset_fields(expect + ".dataset"));
    add(fields, task_fields(expect + ".task"));
    return fields;
}

}  // namespace evaljob::schema
