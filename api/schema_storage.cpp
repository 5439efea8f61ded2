// The table: storage and scheduling, what the cluster has to give.
#include "api/json_read.hpp"
#include "api/schema_rows.hpp"

namespace evaljob::schema {
namespace {

constexpr Form quantity_form{"^[0-9]+([.][0-9]+)?(k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$", "a size such as 100Gi"};
constexpr Form label_key_form{
    "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$",
    "a label's key: letters, digits, '-', '_' and '.', after a DNS subdomain and '/' if there is one"};

void check_storage_path(const Json& value, const std::string& path, Violations& violations) {
    if (!value.is_string()) return;
    const std::string folder = value.get<std::string>();
    const bool climbs = ("/" + folder + "/").find("/../") != std::string::npos;
    if (folder.starts_with('/') || climbs) {
        violations.push_back(path + ": must be a path below the storage root, not absolute and without '..', is \"" +
                             folder + "\"");
    }
}

void check_one_claim(const Json& storage, const std::string& path, Violations& violations) {
    if (!member(storage, "claimName").is_null() && !member(storage, "claimTemplate").is_null())
        violations.push_back(path + ": must have claimName or claimTemplate, not both");
}

void check_retention(const Json& storage, const std::string& path, Violations& violations) {
    if (member(storage, "retentionPolicy") == Json("Delete") && member(storage, "claimTemplate").is_null())
        violations.push_back(path +
                             ".retentionPolicy: Delete needs claimTemplate; a claim of your own is never deleted");
}

void check_writable(const Json& modes, const std::string& path, Violations& violations) {
    if (!modes.is_array() || modes.empty()) return;
    for (const Json& mode : modes)
        if (mode != Json("ReadOnlyMany")) return;
    violations.push_back(path + ": must have one that can be written");
}

std::vector<Field> claim_fields() {
    const std::string claim = "spec.storage.claimTemplate";
    return {
        {.path = claim,
         .type = Type::Object,
         .text = "A PersistentVolumeClaim to be made, NAME-claim; passed over in local mode."},
        {.path = claim + ".metadata", .type = Type::Object, .text = "Labels and annotations."},
        labels(claim + ".metadata.labels"),
        {.path = claim + ".metadata.annotations",
         .type = Type::StringMap,
         .text = "Annotations.",
         .max_length = 4096,
         .max_items = 64},
        {.path = claim + ".spec",
         .type = Type::Object,
         .text = "PersistentVolumeClaimSpec. Members not listed here are kept as they are.",
         .required = true,
         .open = true},
        {.path = claim + ".spec.accessModes",
         .type = Type::Array,
         .text = "ReadWriteMany where nodes are many.",
         .required = true,
         .min_items = 1,
         .max_items = 4,
         .distinct = true,
         .rules = {{.cel = "self.exists(m, m != 'ReadOnlyMany')",
                    .message = "must have one that can be written",
                    .message_expression = "",
                    .check = check_writable}}},
        {.path = claim + ".spec.accessModes[]",
         .type = Type::String,
         .text = "An access mode.",
         .max_length = 32,
         .values = {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"}},
        {.path = claim + ".spec.resources", .type = Type::Object, .text = "How much.", .required = true, .open = true},
        {.path = claim + ".spec.resources.requests",
         .type = Type::Object,
         .text = "What is asked for.",
         .required = true,
         .open = true},
        {.path = claim + ".spec.resources.requests.storage",
         .type = Type::String,
         .text = "The size, such as 100Gi.",
         .required = true,
         .max_length = 32,
         .form = &quantity_form},
        {.path = claim + ".spec.storageClassName",
         .type = Type::String,
         .text = "The class; absent: the cluster's default.",
         .max_length = 253},
        {.path = claim + ".spec.volumeMode",
         .type = Type::String,
         .text = "Files are written.",
         .values = {"Filesystem"}},
    };
}

}  // namespace

std::vector<Field> storage_fields() {
    std::vector<Field> fields{
        {.path = "spec.storage",
         .type = Type::Object,
         .text = "The volume that all nodes share. In a cluster one of claimName and claimTemplate is needed; local "
                 "mode passes both over.",
         .rules = {{.cel = "!has(self.claimName) || !has(self.claimTemplate)",
                    .message = "must have claimName or claimTemplate, not both",
                    .message_expression = "",
                    .check = check_one_claim},
                   {.cel = "!has(self.retentionPolicy) || self.retentionPolicy != 'Delete' || has(self.claimTemplate)",
                    .message = "retentionPolicy: Delete needs claimTemplate; a claim of your own is never deleted",
                    .message_expression = "",
                    .check = check_retention}}},
        {.path = "spec.storage.claimName",
         .type = Type::String,
         .text = "A PersistentVolumeClaim that is there, or will be: until then the job waits. It must be "
                 "ReadWriteMany where nodes are many and writers is Ranks.",
         .min_length = 1,
         .max_length = 253,
         .form = &dns_subdomain},
    };
    add(fields, claim_fields());
    fields.push_back({.path = "spec.storage.retentionPolicy",
                      .type = Type::String,
                      .text = "What becomes of a claim made from claimTemplate when the EvalJob is deleted. Retain: it "
                              "stays, and a later EvalJob of the same name uses it again. Delete: it goes too.",
                      .fallback = "\"Retain\"",
                      .values = {"Retain", "Delete"}});
    fields.push_back({.path = "spec.storage.path",
                      .type = Type::String,
                      .text = "Folder of this job's output, relative to the storage root. A later job of the same "
                              "evaluation in the same folder goes on where the first stopped.",
                      .fallback_words = "the EvalJob's name",
                      .min_length = 1,
                      .max_length = max_path_length,
                      .form = &path_form,
                      .rules = {{.cel = "!self.startsWith('/') && !self.matches('(^|/)[.][.](/|$)')",
                                 .message = "must be a path below the storage root, not absolute and without '..'",
                                 .message_expression = "",
                                 .check = check_storage_path}}});
    fields.push_back({.path = "spec.storage.writers",
                      .type = Type::String,
                      .text =
                          "Who writes to the volume. Ranks: every rank its own log; where nodes are many the claim "
                          "must be ReadWriteMany. Node0: node 0 alone mounts it and writes what the others send; on "
                          "them model and datasets must be in the image or on volumes of the template.",
                      .fallback = "\"Ranks\"",
                      .values = {"Ranks", "Node0"}});
    return fields;
}

std::vector<Field> scheduling_fields() {
    return {
        {.path = "spec.scheduling",
         .type = Type::Object,
         .text = "How the cluster places the nodes' Pods. Local mode passes it over."},
        {.path = "spec.scheduling.gang",
         .type = Type::String,
         .text = "Pods are placed minNodes at once or not at all, by this API. Auto: by what the cluster serves; with "
                 "a queueName Kueue, then Volcano; without Volcano, Coscheduling, Native, and None when there is none "
                 "of them.",
         .fallback = "\"None\"",
         .values = {"None", "Auto", "Native", "Volcano", "Coscheduling"}},
        {.path = "spec.scheduling.queueName",
         .type = Type::String,
         .text = "With gang Volcano its queue, otherwise a LocalQueue of Kueue. numNodes cannot be changed then.",
         .min_length = 1,
         .max_length = 63,
         .form = &dns_subdomain},
        {.path = "spec.scheduling.topologyKey",
         .type = Type::String,
         .text = "A label of machines, such as topology.kubernetes.io/zone: all Pods must go where it has one value.",
         .min_length = 1,
         .max_length = 316,
         .form = &label_key_form},
    };
}

}  // namespace evaljob::schema
