// The table: spec.eval.model.
#include <algorithm>

#include "api/json_read.hpp"
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
                          {"parameters", {"OpenAI"}},
                          {"headers", {"OpenAI"}},
                          {"query", {"OpenAI"}},
                          {"tokenLimit", {"OpenAI"}},
                          {"sendSeed", {"OpenAI"}},
                          {"contentFilter", {"OpenAI"}},
                          {"proxy", {"OpenAI"}}}));
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

constexpr Form header_form{"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", "the name of an HTTP header"};
constexpr Form header_value_form{"^[\\x20-\\x7e]*$", "printable ASCII"};
constexpr Form query_form{"^[A-Za-z0-9._~-]+$", "letters, digits, '.', '_', '~' and '-'"};

Rule one_source() {
    const std::string words = "has either a value or a variable";
    return {.cel = "has(self.value) != has(self.variable)",
            .message = words,
            .message_expression = "",
            .check = [=](const Json& header, const std::string& path, Violations& violations) {
                if (member(header, "value").is_null() == member(header, "variable").is_null())
                    violations.push_back(path + ": " + words);
            }};
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

/// Headers of these names, in small letters, that have a `member` are refused.
Rule refused_headers(const std::vector<std::string>& names, const std::string& member_of_it, const std::string& words) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "'" : ", '") + name + "'";
    const std::string has = member_of_it == "name" ? "" : "!has(self." + member_of_it + ") || ";
    return {.cel = has + "!(self.name.lowerAscii() in [" + list + "])",
            .message = member_of_it + ": " + words,
            .message_expression = "",
            .check = [=](const Json& header, const std::string& path, Violations& violations) {
                if (member(header, member_of_it.c_str()).is_null() || !member(header, "name").is_string()) return;
                if (std::find(names.begin(), names.end(), lower(text_of(header, "name"))) != names.end())
                    violations.push_back(path + "." + member_of_it + ": " + words);
            }};
}

/// A key that stands in an EvalJob can be read by everyone who may read EvalJobs.
Rule keys_come_from_variables() {
    return refused_headers({"authorization", "proxy-authorization", "api-key", "x-api-key", "cookie"}, "value",
                           "a header that holds a key takes it from a variable; set variable");
}

Rule header_is_free() {
    return refused_headers({"host", "content-length", "content-type", "transfer-encoding", "connection",
                            "accept-encoding", "expect", "te", "upgrade"},
                           "name", "this header is set by the runner; remove it");
}

/// How requests fit a server that wants them a little otherwise.
std::vector<Field> request_fields() {
    const std::string model = "spec.eval.model";
    return {
        {.path = model + ".headers",
         .type = Type::Array,
         .text = "OpenAI: further headers of each request. No part of the evaluation's identity.",
         .min_items = 1,
         .max_items = 32,
         .key = "name"},
        {.path = model + ".headers[]",
         .type = Type::Object,
         .text = "One header.",
         .rules = {one_source(), keys_come_from_variables(), header_is_free()}},
        {.path = model + ".headers[].name",
         .type = Type::String,
         .text = "Its name.",
         .required = true,
         .min_length = 1,
         .max_length = 128,
         .form = &header_form},
        {.path = model + ".headers[].value",
         .type = Type::String,
         .text = "Its value. Whoever may read the EvalJob can read it.",
         .max_length = 4096,
         .form = &header_value_form},
        {.path = model + ".headers[].variable",
         .type = Type::String,
         .text = "The environment variable of container `runner` that holds its value.",
         .max_length = 256,
         .form = &variable_form},
        {.path = model + ".query",
         .type = Type::StringMap,
         .text = "OpenAI: what stands behind the ? of each request's URL: {api-version: \"2024-10-21\"} for Azure. No "
                 "part of the evaluation's identity, as the URL is none.",
         .max_length = 256,
         .min_items = 1,
         .max_items = 16,
         .form = &query_form},
        {.path = model + ".tokenLimit",
         .type = Type::String,
         .text = "OpenAI: the member of a request that has task.maxNewTokens. Auto: max_tokens, or the other one after "
                 "the server has refused a request for it.",
         .fallback_words = "Auto with OpenAI",
         .values = {"Auto", "max_tokens", "max_completion_tokens"}},
        {.path = model + ".sendSeed",
         .type = Type::String,
         .text = "OpenAI: whether each request has a `seed`. Auto: until the server has refused one for it.",
         .fallback_words = "Auto with OpenAI",
         .values = {"Auto", "Always", "Never"}},
        {.path = model + ".contentFilter",
         .type = Type::String,
         .text = "OpenAI: what is done with an answer that the server's content filter has ended. Fail: the sample "
                 "fails for that reason. Answer: what is there of it counts as the answer, and is counted as filtered. "
                 "Part of the evaluation's identity.",
         .fallback_words = "Fail with OpenAI",
         .values = {"Fail", "Answer"}},
        {.path = model + ".proxy",
         .type = Type::String,
         .text = "OpenAI: Environment: the server is reached through the proxy that HTTP_PROXY, HTTPS_PROXY and "
                 "NO_PROXY of container `runner` name. None: directly.",
         .fallback_words = "None with OpenAI",
         .values = {"None", "Environment"}},
    };
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
    add(fields, request_fields());
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
