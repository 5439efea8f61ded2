// The table: spec.template. A Pod template has far more members than stand here; they are kept as they are and checked
// by whoever creates the Pod. What stands here is what the operator's own rules read.
#include "api/contract.hpp"
#include "api/names.hpp"
#include "api/schema_rows.hpp"

namespace evaljob::schema {
namespace {

constexpr const char* own_label_prefix = "evaljob.dev/";

void check_variable(const Json& value, const std::string& path, Violations& violations) {
    if (!value.is_string()) return;
    const std::string name = value.get<std::string>();
    if (is_reserved_variable(name)) violations.push_back(path + ": " + name + " is set by the operator; remove it");
}

Rule variable_rule() {
    std::string names;
    for (const std::string_view name : reserved_variables()) {
        names += (names.empty() ? "'" : ", '") + std::string(name) + "'";
    }
    return {.cel = "!(self in [" + names + "])",
            .message = "is set by the operator; remove it",
            .message_expression = "self + ' is set by the operator; remove it'",
            .check = check_variable};
}

void check_labels(const Json& value, const std::string& path, Violations& violations) {
    if (!value.is_object()) return;
    for (const auto& [key, label] : value.items()) {
        if (key.starts_with(own_label_prefix)) {
            violations.push_back(path + "." + key + ": labels below evaljob.dev/ are set by the operator; remove it");
        }
    }
}

std::vector<Field> container_fields(const std::string& list, const std::string& text) {
    const std::string container = list + "[]";
    const std::string variable = container + ".env[]";
    return {
        {.path = list, .type = Type::Array, .text = text, .max_items = 16},
        {.path = container, .type = Type::Object, .text = "A container, as in any Pod.", .open = true},
        {.path = container + ".name",
         .type = Type::String,
         .text = "The container's name.",
         .required = true,
         .min_length = 1,
         .max_length = 63},
        {.path = container + ".image",
         .type = Type::String,
         .text = "The container's image. Local mode runs no images.",
         .min_length = 1,
         .max_length = 4096},
        {.path = container + ".command",
         .type = Type::Array,
         .text = "The program and its arguments, in place of the image's.",
         .max_items = 512},
        {.path = container + ".command[]", .type = Type::String, .text = "One word.", .max_length = 65536},
        {.path = container + ".args", .type = Type::Array, .text = "Arguments.", .max_items = 512},
        {.path = container + ".args[]", .type = Type::String, .text = "One word.", .max_length = 65536},
        {.path = container + ".env",
         .type = Type::Array,
         .text = "Environment beside that of the rank contract.",
         .max_items = 128},
        {.path = variable, .type = Type::Object, .text = "A variable.", .open = true},
        {.path = variable + ".name",
         .type = Type::String,
         .text = "The variable's name; none of those that the operator sets.",
         .required = true,
         .min_length = 1,
         .max_length = 256,
         .rules = {variable_rule()}},
        {.path = variable + ".value", .type = Type::String, .text = "The variable's value.", .max_length = 65536},
    };
}

Field owned(std::string path) {
    return {.path = std::move(path),
            .type = Type::String,
            .text = "Set by the operator; refused.",
            .max_length = 253,
            .owned = true};
}

}  // namespace

Field labels(std::string path) {
    return {.path = std::move(path),
            .type = Type::StringMap,
            .text = "Labels beside the operator's own.",
            .max_length = 63,
            .max_items = 64,
            .rules = {{.cel = "!self.exists(k, k.startsWith('evaljob.dev/'))",
                       .message = "labels below evaljob.dev/ are set by the operator; remove them",
                       .message_expression = "",
                       .check = check_labels}}};
}

std::vector<Field> template_fields() {
    std::vector<Field> fields{
        {.path = "spec.template",
         .type = Type::Object,
         .text = "PodTemplateSpec of every node's Pod: image, resources, tolerations, volumes. Members not listed here "
                 "are kept as they are; a Pod that the API server refuses becomes a condition with its message.",
         .open = true},
        {.path = "spec.template.metadata", .type = Type::Object, .text = "Labels and annotations.", .open = true},
        labels("spec.template.metadata.labels"),
        {.path = "spec.template.spec", .type = Type::Object, .text = "PodSpec.", .open = true},
        {.path = "spec.template.spec.restartPolicy",
         .type = Type::String,
         .text = "The Pods' restartPolicy is Never: the operator makes a new Pod for a failed node.",
         .values = {"Never"}},
        owned("spec.template.spec.hostname"),
        owned("spec.template.spec.subdomain"),
    };
    add(fields, container_fields("spec.template.spec.containers",
                                 std::string("The containers. The one that counts is `") + names::runner_container +
                                     "`; the operator adds it when it is not here."));
    add(fields,
        container_fields("spec.template.spec.initContainers", "Init containers; they see the rank contract too."));
    return fields;
}

}  // namespace evaljob::schema
