// The table: spec itself, and the rules over the whole object.
#include "api/names.hpp"
#include "api/schema_rows.hpp"

namespace evaljob::schema {
namespace {

constexpr std::int64_t max_nodes = 4096;
constexpr std::int64_t max_procs_per_node = 64;

void check_eval_is_there(const Json& spec, const std::string& path, Violations& violations) {
    if (!spec.is_object() || (spec.contains("eval") && !spec["eval"].is_null())) return;
    violations.push_back(path + ".eval: a spec without eval (an image of your own) is not supported yet; add eval");
}

void check_scope(const Json& spec, const std::string& path, Violations& violations) {
    if (!spec.is_object() || (spec.contains("eval") && !spec["eval"].is_null())) return;
    if (!spec.contains("restartPolicy") || !spec["restartPolicy"].is_object()) return;
    if (spec["restartPolicy"].value("scope", Json()) != Json("Node")) return;
    violations.push_back(path +
                         ".restartPolicy.scope: Node needs eval, whose samples are leased; without it all nodes must "
                         "start again: Group");
}

void check_longest_name(const Json& object, const std::string& path, Violations& violations) {
    const Json& name = object["metadata"]["name"];
    const Json nodes =
        object.contains("spec") && object["spec"].is_object() ? object["spec"].value("numNodes", Json(1)) : Json(1);
    const std::int64_t count = nodes.is_number_integer() ? nodes.get<std::int64_t>() : 1;
    if (count < 1 || count > max_nodes) return;
    const std::string job = name.get<std::string>();
    const std::size_t longest = names::longest(job, static_cast<std::int32_t>(count));
    if (longest <= names::max_label_length) return;
    violations.push_back(path + "metadata.name: leads to the name " +
                         names::longest_pod(job, static_cast<std::int32_t>(count)) + " of " + std::to_string(longest) +
                         " characters, where 63 is the limit; make it shorter by " +
                         std::to_string(longest - names::max_label_length));
}

Field spec_field() {
    return {
        .path = "spec",
        .type = Type::Object,
        .text = "What is to be evaluated, and how.",
        .required = true,
        .rules = {{.cel = "self == oldSelf",
                   .message = "is immutable: delete the EvalJob and create it anew; finished work of the same "
                              "evaluation is taken up again",
                   .message_expression = "",
                   .check = nullptr},
                  {.cel = "has(self.eval)",
                   .message = "eval: a spec without eval (an image of your own) is not supported yet; add eval",
                   .message_expression = "",
                   .check = check_eval_is_there},
                  {.cel = "has(self.eval) || !has(self.restartPolicy) || !has(self.restartPolicy.scope) || "
                          "self.restartPolicy.scope != 'Node'",
                   .message = "restartPolicy.scope: Node needs eval, whose samples are leased; without it all nodes "
                              "must start again: Group",
                   .message_expression = "",
                   .check = check_scope}}};
}

}  // namespace

const std::vector<Field>& spec_fields() {
    static const std::vector<Field> all = [] {
        std::vector<Field> fields{spec_field(),
                                  {.path = "spec.numNodes",
                                   .type = Type::Integer,
                                   .text = "Nodes of the job: one Pod each.",
                                   .fallback = "1",
                                   .minimum = 1,
                                   .maximum = max_nodes},
                                  {.path = "spec.numProcPerNode",
                                   .type = Type::Integer,
                                   .text = "Ranks of each node. WORLD_SIZE = numNodes * numProcPerNode.",
                                   .fallback = "1",
                                   .minimum = 1,
                                   .maximum = max_procs_per_node}};
        for (const auto& part : {eval_fields(), template_fields(), policy_fields(), later_fields()}) {
            fields.insert(fields.end(), part.begin(), part.end());
        }
        return fields;
    }();
    return all;
}

const std::vector<Rule>& object_rules() {
    static const std::vector<Rule> rules{
        {.cel = std::string("self.metadata.name.matches('") + dns_label.pattern + "')",
         .message = std::string("metadata.name: must be ") + dns_label.words,
         .message_expression = "",
         .check = nullptr},
        {.cel = "size(self.metadata.name) + size(string(self.spec.numNodes - 1)) + 6 <= 63",
         .message =
             "metadata.name: the Pods' names NAME-NODE-ATTEMPT would be longer than 63 characters; make it shorter",
         .message_expression = "",
         .check = check_longest_name}};
    return rules;
}

}  // namespace evaljob::schema
