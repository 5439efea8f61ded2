#include "api/crd.hpp"

#include "api/evaljob.hpp"
#include "api/schema.hpp"

namespace evaljob {
namespace {

using schema::Field;
using schema::Node;
using schema::Rule;
using schema::Type;

constexpr const char* keep_unknown = "x-kubernetes-preserve-unknown-fields";

Json rules_of(const std::vector<Rule>& rules) {
    Json all = Json::array();
    for (const Rule& rule : rules) {
        Json object{{"rule", rule.cel}, {"message", rule.message}};
        if (!rule.message_expression.empty()) object["messageExpression"] = rule.message_expression;
        all.push_back(std::move(object));
    }
    return all;
}

/// A field that is refused wherever it is set. Without it in the schema the API server would drop it in silence.
Json refusal(const Field& field) {
    const char* message = field.owned ? "is set by the operator; remove it" : "not supported yet; remove it";
    if (field.taken != nullptr) message = field.taken;
    return Json::array({Json{{"rule", "false"}, {"message", message}}});
}

void add_string_bounds(const Field& field, Json& schema) {
    if (!field.values.empty()) schema["enum"] = field.values;
    if (field.min_length) schema["minLength"] = *field.min_length;
    if (field.max_length) schema["maxLength"] = *field.max_length;
    if (field.form != nullptr) schema["pattern"] = field.form->pattern;
}

Json type_of(const Field& field) {
    switch (field.type) {
        case Type::Object:
            return Json{{"type", "object"}};
        case Type::Array:
            return Json{{"type", "array"}};
        case Type::Boolean:
            return Json{{"type", "boolean"}};
        case Type::Integer: {
            Json schema{{"type", "integer"}, {"format", field.wide ? "int64" : "int32"}};
            if (field.minimum) schema["minimum"] = *field.minimum;
            if (field.maximum) schema["maximum"] = *field.maximum;
            return schema;
        }
        case Type::String: {
            Json schema{{"type", "string"}};
            add_string_bounds(field, schema);
            return schema;
        }
        case Type::StringMap: {
            Json entry{{"type", "string"}};
            add_string_bounds(field, entry);
            return Json{{"type", "object"}, {"additionalProperties", std::move(entry)}};
        }
        case Type::IntegerMap:
            return Json{{"type", "object"}, {"additionalProperties", {{"type", "integer"}, {"format", "int32"}}}};
    }
    return Json::object();
}

Json schema_of(const Node& node);

void add_members(const Node& node, Json& schema) {
    Json required = Json::array();
    for (const Node& member : node.members) {
        schema["properties"][member.key] = schema_of(member);
        if (member.field->required) required.push_back(member.key);
    }
    if (!required.empty()) schema["required"] = std::move(required);
}

void add_items(const Node& node, Json& schema) {
    const Field& field = *node.field;
    schema["items"] = node.item.empty() ? Json{{"type", "object"}, {keep_unknown, true}} : schema_of(node.item.front());
    if (field.key != nullptr) {
        schema["x-kubernetes-list-type"] = "map";
        schema["x-kubernetes-list-map-keys"] = Json::array({field.key});
    } else if (field.distinct) {
        schema["x-kubernetes-list-type"] = "set";
    }
}

Json schema_of(const Node& node) {
    const Field& field = *node.field;
    Json schema = type_of(field);
    schema["description"] = field.text;
    if (field.type == Type::Object) add_members(node, schema);
    if (field.type == Type::Array) add_items(node, schema);
    const bool map = field.type == Type::StringMap || field.type == Type::IntegerMap;
    if (field.min_items) schema[map ? "minProperties" : "minItems"] = *field.min_items;
    if (field.max_items) schema[map ? "maxProperties" : "maxItems"] = *field.max_items;
    if (field.fallback != nullptr) schema["default"] = Json::parse(field.fallback);
    if (field.open || (field.later && field.type == Type::Object)) schema[keep_unknown] = true;
    if (field.later || field.owned || field.taken != nullptr) schema["x-kubernetes-validations"] = refusal(field);
    if (!field.rules.empty()) schema["x-kubernetes-validations"] = rules_of(field.rules);
    return schema;
}

Json object_schema() {
    return Json{{"type", "object"},
                {"description", "One evaluation of one model, on any number of nodes, with one score."},
                {"required", Json::array({"spec"})},
                {"x-kubernetes-validations", rules_of(schema::object_rules())},
                {"properties",
                 {{"apiVersion", {{"type", "string"}}},
                  {"kind", {{"type", "string"}}},
                  {"metadata", {{"type", "object"}}},
                  {"spec", schema_of(schema::spec_tree())},
                  {"status", schema_of(schema::status_tree())}}}};
}

Json column(const char* name, const char* type, const char* path, const char* text) {
    return Json{{"name", name}, {"type", type}, {"jsonPath", path}, {"description", text}};
}

/// At most six by default: what a person asks. The rest is for `-o wide`.
Json columns() {
    Json results = column("Results", "string", ".status.results.path", "Where the published results are.");
    results["priority"] = 1;
    return Json::array({column("Status", "string", ".status.summary.status", "What the job does now."),
                        column("Nodes", "string", ".status.summary.nodes", "Ready or succeeded of all nodes."),
                        column("Progress", "string", ".status.summary.progress", "Samples done."),
                        column("Score", "string", ".status.summary.score", "The first dataset's score."),
                        column("Restarts", "integer", ".status.restarts", "Restarts of nodes or of all."),
                        column("Age", "date", ".metadata.creationTimestamp", "Since the EvalJob was created."),
                        std::move(results)});
}

Json version() {
    return Json{{"name", "v1alpha1"},
                {"served", true},
                {"storage", true},
                {"schema", {{"openAPIV3Schema", object_schema()}}},
                {"additionalPrinterColumns", columns()},
                {"subresources",
                 {{"status", Json::object()},
                  {"scale",
                   {{"specReplicasPath", ".spec.numNodes"},
                    {"statusReplicasPath", ".status.nodes.total"},
                    {"labelSelectorPath", ".status.selector"}}}}}};
}

}  // namespace

Json crd() {
    return Json{{"apiVersion", "apiextensions.k8s.io/v1"},
                {"kind", "CustomResourceDefinition"},
                {"metadata", {{"name", std::string("evaljobs.") + api_group}}},
                {"spec",
                 {{"group", api_group},
                  {"scope", "Namespaced"},
                  {"names",
                   {{"kind", kind},
                    {"listKind", "EvalJobList"},
                    {"plural", "evaljobs"},
                    {"singular", "evaljob"},
                    {"shortNames", Json::array({"evj"})},
                    {"categories", Json::array({"evaljob"})}}},
                  {"versions", Json::array({version()})}}}};
}

}  // namespace evaljob
