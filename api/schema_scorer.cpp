// The table: task.scorer, a program that scores predictions when they are merged.
#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "api/result_names.hpp"
#include "api/schema_rows.hpp"

namespace evaljob::schema {
namespace {

// Members of a line of results.jsonl or of a scorer's; the metrics' names are members too.
constexpr std::array<std::string_view, 11> line_members{
    "id", "dataset", "repeat", "prediction", "target", "group", "confidence", "fields", "error", "missing", "request"};

std::vector<std::string_view> taken_names() {
    std::vector<std::string_view> names(line_members.begin(), line_members.end());
    for (const auto& [metric, name] : metric_result_names) names.push_back(name);
    return names;
}

constexpr Form score_name_form{"^[a-z][a-z0-9_]*$", "a name: lower-case letters, digits and '_', a letter first"};

constexpr const char* taken_words = "already has its meaning in results.jsonl; use another name";

void check_name(const Json& value, const std::string& path, Violations& violations) {
    if (!value.is_string()) return;
    const std::string name = value.get<std::string>();
    const std::vector<std::string_view> taken = taken_names();
    if (std::find(taken.begin(), taken.end(), name) != taken.end())
        violations.push_back(path + ": " + name + " " + taken_words);
}

Rule name_is_free() {
    std::string names;
    for (const std::string_view name : taken_names()) names += (names.empty() ? "'" : ", '") + std::string(name) + "'";
    return {.cel = "!(self in [" + names + "])",
            .message = taken_words,
            .message_expression = std::string("self + ' ") + taken_words + "'",
            .check = check_name};
}

}  // namespace

std::vector<Field> scorer_fields(const std::string& task) {
    const std::string scorer = task + ".scorer";
    return {
        {.path = scorer,
         .type = Type::Object,
         .text = "Generation: a program that reads predictions and targets and writes scores as JSON lines "
                 "(docs/runner.md). The merge runs it, so it is no part of the evaluation's identity."},
        {.path = scorer + ".command",
         .type = Type::Array,
         .text = "The program and its arguments, without a shell.",
         .required = true,
         .min_items = 1,
         .max_items = 256},
        {.path = scorer + ".command[]",
         .type = Type::String,
         .text = "One argument.",
         .min_length = 1,
         .max_length = 4096,
         .form = &text_form},
        {.path = scorer + ".path",
         .type = Type::String,
         .text = "The folder that the program starts in; absent: the one that relative paths are relative to. Relative "
                 "as spec.eval.model.path.",
         .min_length = 1,
         .max_length = max_path_length,
         .form = &path_form},
        {.path = scorer + ".scores",
         .type = Type::Array,
         .text = "The names of the scores that it gives for each sample, in results and metrics. They stand before "
                 "task.metrics, so the first of them is the score.",
         .required = true,
         .min_items = 1,
         .max_items = 16,
         .distinct = true},
        {.path = scorer + ".scores[]",
         .type = Type::String,
         .text = "One name.",
         .min_length = 1,
         .max_length = 63,
         .form = &score_name_form,
         .rules = {name_is_free()}},
        {.path = scorer + ".timeoutSeconds",
         .type = Type::Integer,
         .text = "A program that has samples and gives no answer for so long is ended and started again.",
         .fallback_words = "600",
         .minimum = 1,
         .maximum = 86400},
    };
}

}  // namespace evaljob::schema
