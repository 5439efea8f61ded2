// The table: a dataset and what is asked of the model about it, in spec.eval and in spec.merge.expect.
#include "api/json_read.hpp"
#include "api/schema_rows.hpp"

namespace evaljob::schema {
namespace {

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

}  // namespace

std::vector<Rule> dataset_rules(const std::vector<Use>& more) {
    const std::vector<std::string> formats{"IDX", "JSONL", "TSV"};
    std::vector<Rule> rules{needed_with("format", "IDX", "labelsPath")};
    add(rules, used_with("format", formats, {{"labelsPath", {"IDX"}}, {"labelsSha256", {"IDX"}}}));
    add(rules, used_with("format", formats, more));
    return rules;
}

std::vector<Rule> task_rules(const std::string& format) {
    return {fixed_with(format, "IDX", "task.type", "Classification"),
            fixed_with(format, "JSONL", "task.type", "Generation"),
            fixed_with(format, "TSV", "task.type", std::vector<std::string>{"Generation", "MultipleChoice"})};
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

std::vector<Field> task_fields(const std::string& task, const std::vector<Use>& more) {
    const std::vector<std::string> types{"Classification", "MultipleChoice", "Generation"};
    std::vector<Rule> rules{needed_for("topP", "temperature"), metrics_fit()};
    add(rules, used_with("type", types,
                         {{"classes", {"Classification"}},
                          {"metrics", {"MultipleChoice", "Generation"}},
                          {"targets", {"Generation"}},
                          {"groupBy", {"MultipleChoice", "Generation"}},
                          {"maxNewTokens", {"Generation"}},
                          {"temperature", {"Generation"}},
                          {"topP", {"Generation"}},
                          {"stop", {"Generation"}},
                          {"prompt", {"Generation"}}}));
    add(rules, used_with("type", types, more));
    return {
        {.path = task,
         .type = Type::Object,
         .text = "What is asked of the model.",
         .required = true,
         .rules = std::move(rules)},
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
             "which overlooks case, punctuation, English articles and white space; not for numbers, as -5 is 5 by it, "
             "and 1.0 is 10. VQAAccuracy: min(1, targets that are the prediction / 3) as VQA's evaluation has it, the "
             "targets being people's answers. F1: of SQuAD, "
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
        {.path = task + ".targets",
         .type = Type::String,
         .text =
             "Generation, TSV: how a cell of the column `answer` is read. Auto: one that is wholly a list of quoted "
             "texts, ['Paris', 'paris'], is a list of right answers; anything else is one text. Text: always one "
             "text. Part of the evaluation's identity.",
         .fallback_words = "Auto with Generation",
         .values = {"Auto", "Text"}},
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
             "OpenAI: the message of the user, in which {question} stands for the sample's member `question`, {hint?} "
             "for one that a sample may lack, {options} for the options in its members A, B, …, and {{ and }} for "
             "braces. Absent: the sample's `messages`, or its `prompt` or `question`, with its options behind it.",
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
