// The table: spec.eval.model.
#include "api/schema_rows.hpp"

namespace evaljob::schema {
namespace {

std::vector<Rule> model_rules() {
    std::vector<Rule> rules{needed_with("format", "TorchScript", "path"), needed_with("format", "AOTInductor", "path"),
                            needed_with("format", "Command", "command"), needed_with("format", "OpenAI", "url"),
                            needed_with("format", "OpenAI", "name")};
    add(rules, used_with("format", {"TorchScript", "AOTInductor", "Command", "OpenAI"},
                         {{"path", {"TorchScript", "AOTInductor", "Command"}},
                          {"sha256", {"TorchScript", "AOTInductor"}},
                          {"command", {"Command"}},
                          {"url", {"OpenAI"}},
                          {"name", {"OpenAI"}},
                          {"apiKeyVariable", {"OpenAI"}},
                          {"systemPrompt", {"OpenAI"}},
                          {"parameters", {"OpenAI"}}}));
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

}  // namespace

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

}  // namespace evaljob::schema
