// The table: spec itself, and the rules over the whole object.
#include "api/json_read.hpp"
#include "api/names.hpp"
#include "api/schema_rows.hpp"

namespace evaljob::schema {
namespace {

constexpr std::int64_t max_nodes = 4096;
constexpr std::int64_t max_procs_per_node = 64;

bool has(const Json& object, const char* key) { return !member(object, key).is_null(); }

bool is_own_program(const Json& container) {
    if (!container.is_object() || member(container, "name") != Json(names::runner_container)) return false;
    return has(container, "image") || (has(container, "command") && !container["command"].empty());
}

void check_program(const Json& spec, const std::string& path, Violations& violations) {
    if (!spec.is_object() || has(spec, "eval")) return;
    const Json& containers = member(member(member(spec, "template"), "spec"), "containers");
    for (const Json& container : containers.is_array() ? containers : Json::array())
        if (is_own_program(container)) return;
    violations.push_back(path +
                         ".template.spec.containers: without eval a container named runner with a command or an image "
                         "must say what is run; add it, or eval");
}

void check_expect(const Json& spec, const std::string& path, Violations& violations) {
    if (!spec.is_object() || !has(spec, "eval") || !has(member(spec, "merge"), "expect")) return;
    violations.push_back(path +
                         ".merge.expect: is for images of your own; with eval its datasets are what is expected; "
                         "remove it");
}

void check_scope(const Json& spec, const std::string& path, Violations& violations) {
    if (!spec.is_object() || has(spec, "eval")) return;
    if (member(member(spec, "restartPolicy"), "scope") != Json("Node")) return;
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

std::optional<std::int64_t> whole(const Json& spec, const char* key) {
    const auto found = spec.find(key);
    if (found == spec.end() || !found->is_number_integer()) return {};
    return found->get<std::int64_t>();
}

void check_min_nodes(const Json& spec, const std::string& path, Violations& violations) {
    if (!spec.is_object()) return;
    const std::int64_t nodes = whole(spec, "numNodes").value_or(1);
    const auto least = whole(spec, "minNodes");
    if (least && *least > nodes)
        violations.push_back(path + ".minNodes: must be at most numNodes, which is " + std::to_string(nodes) + ", is " +
                             std::to_string(*least));
}

void check_rigid(const Json& spec, const std::string& path, Violations& violations) {
    if (!spec.is_object() || has(spec, "eval")) return;
    const auto least = whole(spec, "minNodes");
    if (least && *least < whole(spec, "numNodes").value_or(1))
        violations.push_back(path + ".minNodes: fewer than numNodes needs eval, whose samples are leased");
}

void check_reports(const Json& spec, const std::string& path, Violations& violations) {
    if (spec.is_object() && !has(spec, "eval") && whole(spec, "progressDeadlineSeconds"))
        violations.push_back(path + ".progressDeadlineSeconds: needs eval, whose runner reports progress");
}

void check_writers(const Json& spec, const std::string& path, Violations& violations) {
    if (!spec.is_object() || whole(spec, "numNodes").value_or(1) <= 1) return;
    if (member(member(spec, "storage"), "writers") == Json("Node0")) return;
    const Json& modes = member(member(member(member(spec, "storage"), "claimTemplate"), "spec"), "accessModes");
    if (!modes.is_array() || modes.empty()) return;  // said by the rows themselves
    for (const Json& mode : modes)
        if (mode == Json("ReadWriteMany")) return;
    violations.push_back(path +
                         ".storage.claimTemplate.spec.accessModes: several nodes write: ReadWriteMany is needed, or "
                         "writers: Node0");
}

void check_node0_writes(const Json& spec, const std::string& path, Violations& violations) {
    if (!spec.is_object() || has(spec, "eval") || member(member(spec, "storage"), "writers") != Json("Node0")) return;
    violations.push_back(path + ".storage.writers: Node0 needs eval, whose runner sends its records to node 0");
}

Field spec_field() {
    return {.path = "spec",
            .type = Type::Object,
            .text = "What is to be evaluated, and how.",
            .required = true,
            .rules = {
                {.cel = "has(self.eval) || (has(self.template) && has(self.template.spec) && "
                        "has(self.template.spec.containers) && self.template.spec.containers.exists(c, "
                        "c.name == 'runner' && (has(c.image) || (has(c.command) && size(c.command) > 0))))",
                 .message = "template.spec.containers: without eval a container named runner with a command or an "
                            "image must say what is run; add it, or eval",
                 .message_expression = "",
                 .check = check_program},
                {.cel = "!has(self.eval) || !has(self.merge) || !has(self.merge.expect)",
                 .message = "merge.expect: is for images of your own; with eval its datasets are what is expected; "
                            "remove it",
                 .message_expression = "",
                 .check = check_expect},
                {.cel = "has(self.eval) || !has(self.restartPolicy) || !has(self.restartPolicy.scope) || "
                        "self.restartPolicy.scope != 'Node'",
                 .message = "restartPolicy.scope: Node needs eval, whose samples are leased; without it all nodes "
                            "must start again: Group",
                 .message_expression = "",
                 .check = check_scope},
                {.cel = "!has(self.minNodes) || self.minNodes <= self.numNodes",
                 .message = "minNodes: must be at most numNodes",
                 .message_expression = "",
                 .check = check_min_nodes},
                {.cel = "has(self.eval) || !has(self.minNodes) || self.minNodes == self.numNodes",
                 .message = "minNodes: fewer than numNodes needs eval, whose samples are leased",
                 .message_expression = "",
                 .check = check_rigid},
                {.cel = "has(self.eval) || !has(self.progressDeadlineSeconds)",
                 .message = "progressDeadlineSeconds: needs eval, whose runner reports progress",
                 .message_expression = "",
                 .check = check_reports},
                {.cel = "has(self.eval) || self.numNodes == oldSelf.numNodes",
                 .message = "numNodes: can be changed with eval alone, whose samples are leased",
                 .message_expression = "",
                 .check = nullptr},
                {.cel = "!has(self.scheduling) || !has(self.scheduling.queueName) || self.numNodes == oldSelf.numNodes",
                 .message = std::string("numNodes: ") + queue_words,
                 .message_expression = "",
                 .check = nullptr},
                {.cel = "self.numNodes <= 1 || !has(self.storage) || !has(self.storage.claimTemplate) || "
                        "(has(self.storage.writers) && self.storage.writers == 'Node0') || "
                        "self.storage.claimTemplate.spec.accessModes.exists(m, m == 'ReadWriteMany')",
                 .message = "storage.claimTemplate.spec.accessModes: several nodes write: ReadWriteMany is needed, or "
                            "writers: Node0",
                 .message_expression = "",
                 .check = check_writers},
                {.cel = "has(self.eval) || !has(self.storage) || !has(self.storage.writers) || "
                        "self.storage.writers != 'Node0'",
                 .message = "storage.writers: Node0 needs eval, whose runner sends its records to node 0",
                 .message_expression = "",
                 .check = check_node0_writes}}};
}

/// CEL compares a member that may be absent.
Rule immutable(const char* key) {
    const std::string name = key;
    return {.cel = "has(self." + name + ") == has(oldSelf." + name + ") && (!has(self." + name + ") || self." + name +
                   " == oldSelf." + name + ")",
            .message = name + ": " + immutable_words,
            .message_expression = "",
            .check = nullptr};
}

}  // namespace

const std::vector<Field>& spec_fields() {
    static const std::vector<Field> all = [] {
        std::vector<Field> fields{spec_field(),
                                  {.path = "spec.numNodes",
                                   .type = Type::Integer,
                                   .text = "Nodes of the job: one Pod each. With eval it may be changed at any time "
                                           "(kubectl scale).",
                                   .fallback = "1",
                                   .minimum = 1,
                                   .maximum = max_nodes},
                                  {.path = "spec.minNodes",
                                   .type = Type::Integer,
                                   .text = "The job counts as running from when node 0 and so many nodes in all run; "
                                           "late ones join.",
                                   .fallback_words = "1 with eval, numNodes without",
                                   .minimum = 1,
                                   .maximum = max_nodes},
                                  {.path = "spec.numProcPerNode",
                                   .type = Type::Integer,
                                   .text = "Ranks of each node. WORLD_SIZE = numNodes * numProcPerNode.",
                                   .fallback = "1",
                                   .minimum = 1,
                                   .maximum = max_procs_per_node}};
        for (const auto& part : {eval_fields(), template_fields(), policy_fields(), life_fields(), scheduling_fields()})
            add(fields, part);
        for (const char* key : immutable_members()) fields.front().rules.push_back(immutable(key));
        return fields;
    }();
    return all;
}

const std::vector<const char*>& immutable_members() {
    static const std::vector<const char*> all{"numProcPerNode", "eval",  "template",  "rendezvous",
                                              "storage",        "merge", "managedBy", "scheduling"};
    return all;
}

const std::vector<Rule>& object_rules() {
    static const std::vector<Rule> rules{
        {.cel = std::string("self.metadata.name.matches('") + dns_label.pattern + "')",
         .message = std::string("metadata.name: must be ") + dns_label.words,
         .message_expression = "",
         .check = nullptr},
        // The digits of the last node's number; string() would be beyond what a rule may cost.
        {.cel = "size(self.metadata.name) + (self.spec.numNodes <= 10 ? 1 : self.spec.numNodes <= 100 ? 2 : "
                "self.spec.numNodes <= 1000 ? 3 : 4) + 6 <= 63",
         .message =
             "metadata.name: the Pods' names NAME-NODE-ATTEMPT would be longer than 63 characters; make it shorter",
         .message_expression = "",
         .check = check_longest_name}};
    return rules;
}

}  // namespace evaljob::schema
