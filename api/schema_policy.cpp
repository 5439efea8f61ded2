// The table: rendezvous, merge, restartPolicy, deadlines, and what of the design is still to come.
#include <cstdint>

#include "api/json_read.hpp"
#include "api/names.hpp"
#include "api/schema_rows.hpp"

namespace evaljob::schema {
namespace {

constexpr std::int64_t one_day_seconds = 86400;

std::vector<Field> rendezvous_fields() {
    return {
        {.path = "spec.rendezvous", .type = Type::Object, .text = "Where the ranks meet.", .fallback = "{}"},
        {.path = "spec.rendezvous.port",
         .type = Type::Integer,
         .text = "MASTER_PORT on node 0. The next port serves progress over HTTP.",
         .fallback_words = "29500; in local mode a free one",
         .minimum = 1,
         .maximum = 65534},
        {.path = "spec.rendezvous.readyTimeoutSeconds",
         .type = Type::Integer,
         .text = "How long a node of the built-in runner waits for node 0 before it gives up. An image of your own "
                 "waits as its own program does.",
         .fallback = "600",
         .minimum = 1,
         .maximum = one_day_seconds},
    };
}

std::vector<Field> merge_fields() {
    std::vector<Field> fields{
        {.path = "spec.merge",
         .type = Type::Object,
         .text = "The proof and publication of the result.",
         .fallback = "{}"},
        {.path = "spec.merge.backoffLimit",
         .type = Type::Integer,
         .text = "How often the merge is tried again. A proof that failed is final.",
         .fallback = "3",
         .minimum = 0,
         .maximum = 100},
        {.path = "spec.merge.allowPartial",
         .type = Type::Boolean,
         .text = "Publish although samples are missing, and mark the result partial.",
         .fallback = "false"},
        {.path = "spec.merge.maxFailedSamples",
         .type = Type::Integer,
         .text = "Publish with up to so many samples that the model failed on. They count as wrong and are shown.",
         .fallback = "0",
         .minimum = 0,
         .wide = true},
        later("spec.merge.template", Type::Object),
        later("spec.merge.outputs", Type::Array),
    };
    const std::vector<Field> expect = expect_fields();
    fields.insert(fields.end() - 2, expect.begin(), expect.end());
    return fields;
}

void check_one_matcher(const Json& rule, const std::string& path, Violations& violations) {
    if (!rule.is_object()) return;
    if (member(rule, "onExitCodes").is_null() == member(rule, "onPodConditions").is_null())
        violations.push_back(path + ": must have either onExitCodes or onPodConditions");
}

std::vector<Field> restart_rule_fields() {
    const std::string rule = "spec.restartPolicy.rules[]";
    return {
        {.path = rule,
         .type = Type::Object,
         .text = "One rule: onExitCodes or onPodConditions, and an action.",
         .rules = {{.cel = "has(self.onExitCodes) != has(self.onPodConditions)",
                    .message = "must have either onExitCodes or onPodConditions",
                    .message_expression = "",
                    .check = check_one_matcher}}},
        {.path = rule + ".action",
         .type = Type::String,
         .text = "Restart: within maxRestarts. RestartIgnoreLimit: without counting. Fail: the job fails at once.",
         .required = true,
         .values = {"Restart", "RestartIgnoreLimit", "Fail"}},
        {.path = rule + ".onExitCodes", .type = Type::Object, .text = "By the exit code of the container runner."},
        {.path = rule + ".onExitCodes.operator",
         .type = Type::String,
         .text = "In: the code is one of values. NotIn: it is none of them.",
         .required = true,
         .values = {"In", "NotIn"}},
        {.path = rule + ".onExitCodes.values",
         .type = Type::Array,
         .text = "Exit codes.",
         .required = true,
         .min_items = 1,
         .max_items = 255,
         .distinct = true},
        {.path = rule + ".onExitCodes.values[]",
         .type = Type::Integer,
         .text = "An exit code; 0 is no failure.",
         .minimum = 1,
         .maximum = 255},
        {.path = rule + ".onPodConditions",
         .type = Type::Array,
         .text = "By the conditions of the failed Pod; one that holds is enough.",
         .min_items = 1,
         .max_items = 20},
        {.path = rule + ".onPodConditions[]", .type = Type::Object, .text = "One condition."},
        {.path = rule + ".onPodConditions[].type",
         .type = Type::String,
         .text = "The condition: DisruptionTarget, or one of your own.",
         .required = true,
         .min_length = 1,
         .max_length = 316},
        {.path = rule + ".onPodConditions[].status",
         .type = Type::String,
         .text = "The status that it must have.",
         .fallback = "\"True\"",
         .values = {"True", "False", "Unknown"}},
    };
}

std::vector<Field> restart_fields() {
    std::vector<Field> fields{
        {.path = "spec.restartPolicy",
         .type = Type::Object,
         .text = "What follows a node's failure.",
         .fallback = "{}"},
        {.path = "spec.restartPolicy.maxRestarts",
         .type = Type::Integer,
         .text =
             "How many restarts a job may need before it fails. Ranks that their launcher starts anew do not count.",
         .fallback = "3",
         .minimum = 0,
         .maximum = names::max_attempt},
        {.path = "spec.restartPolicy.scope",
         .type = Type::String,
         .text = "Node: only the failed node starts again. Group: all do.",
         .fallback_words = "Node with eval, Group without",
         .values = {"Node", "Group"}},
        {.path = "spec.restartPolicy.rules",
         .type = Type::Array,
         .text = "What follows one failure or another; the first rule that matches decides. Where none does: an exit "
                 "code of the built-in runner that another try cannot mend fails the job, a Pod that was evicted or "
                 "preempted (DisruptionTarget) is restarted outside the limit, anything else is restarted.",
         .max_items = 20},
    };
    const auto rules = restart_rule_fields();
    add(fields, rules);
    return fields;
}

Field deadline(std::string path, std::string text) {
    return {
        .path = std::move(path), .type = Type::Integer, .text = std::move(text), .minimum = 1, .maximum = INT32_MAX};
}

}  // namespace

Field later(std::string path, Type type) {
    Field field{.path = std::move(path), .type = type, .text = "Not supported yet; refused.", .later = true};
    if (type == Type::String) field.max_length = 253;
    if (type == Type::Array) field.max_items = 64;
    return field;
}

std::vector<Field> policy_fields() {
    std::vector<Field> fields;
    for (const auto& part : {rendezvous_fields(), storage_fields(), merge_fields(), restart_fields()})
        add(fields, part);
    return fields;
}

std::vector<Field> life_fields() {
    return {
        deadline("spec.startupDeadlineSeconds",
                 "How long the nodes that are needed (node 0, and minNodes in all), or the merge, may take to start: "
                 "Pods pending, images pulled, volumes mounted. Beyond it the job fails. Absent: for ever."),
        deadline("spec.progressDeadlineSeconds",
                 "How long no sample may be finished while node 0 reports. Beyond it all nodes are restarted, which "
                 "counts as one restart; only with eval. Absent: for ever."),
        deadline("spec.activeDeadlineSeconds",
                 "How long the job may take, from when it first ran; begins anew when it is resumed. Beyond it the job "
                 "fails. Absent: for ever."),
        {.path = "spec.ttlSecondsAfterFinished",
         .type = Type::Integer,
         .text =
             "The EvalJob and its Pods are deleted so long after its end; the volume stays. Absent: never. In local "
             "mode it changes nothing.",
         .minimum = 0,
         .maximum = INT32_MAX},
        {.path = "spec.suspend",
         .type = Type::Boolean,
         .text = "True: Pods are ended and none is made, until it is false again. Finished samples are kept, and the "
                 "restarts that this takes are not counted.",
         .fallback = "false"},
        {.path = "spec.managedBy",
         .type = Type::String,
         .text = "Who reconciles this EvalJob. Absent: this operator, as evaljob.dev/operator; any other value: the "
                 "operator leaves it alone.",
         .min_length = 1,
         .max_length = 63},
    };
}

}  // namespace evaljob::schema
