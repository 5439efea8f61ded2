// The table: status. Only the operator writes it; the schema lets the API server keep it and kubectl explain it.
#include "api/schema.hpp"

namespace evaljob::schema {
namespace {

Field text(std::string path, std::string words) {
    return {.path = std::move(path), .type = Type::String, .text = std::move(words)};
}

Field count(std::string path, std::string words, bool wide = true) {
    return {.path = std::move(path), .type = Type::Integer, .text = std::move(words), .wide = wide};
}

Field object(std::string path, std::string words) {
    return {.path = std::move(path), .type = Type::Object, .text = std::move(words)};
}

Field required(Field field) {
    field.required = true;
    return field;
}

std::vector<Field> condition_fields() {
    Field conditions{.path = "status.conditions",
                     .type = Type::Array,
                     .text = "Suspended, Scheduled, Running, RendezvousReady, Stalled, Merged, Succeeded, Failed.",
                     .max_items = 32,
                     .key = "type"};
    Field value = required(text("status.conditions[].status", "True, False or Unknown."));
    value.values = {"True", "False", "Unknown"};
    return {conditions,
            object("status.conditions[]", "As metav1.Condition."),
            required(text("status.conditions[].type", "The condition.")),
            value,
            required(text("status.conditions[].reason", "For programs, in CamelCase.")),
            required(text("status.conditions[].message", "For a person.")),
            required(text("status.conditions[].lastTransitionTime", "When it last changed, RFC 3339.")),
            count("status.conditions[].observedGeneration", "The generation that it speaks of.")};
}

std::vector<Field> metric_fields() {
    Field metrics{
        .path = "status.metrics", .type = Type::Array, .text = "Scores, of whole datasets.", .max_items = 256};
    return {metrics,
            object("status.metrics[]", "One score."),
            text("status.metrics[].dataset", "The dataset's name."),
            text("status.metrics[].name", "The metric: accuracy."),
            text("status.metrics[].group", "The group of samples; absent: all."),
            text("status.metrics[].value", "Decimal."),
            text("status.metrics[].stderr", "Standard error, decimal."),
            count("status.metrics[].samples", "How many samples it is of.")};
}

std::vector<Field> progress_fields() {
    return {object("status.progress", "How far the run is."),
            count("status.progress.samplesDone", "Samples that have a record."),
            count("status.progress.samplesTotal", "Samples of the manifest."),
            text("status.progress.samplesPerSecond", "Decimal."),
            count("status.progress.etaSeconds", "Seconds until all samples are done."),
            text("status.progress.slowestRank", "The rank that is furthest behind."),
            text("status.progress.lastReportTime", "When node 0 last said so, RFC 3339."),
            text("status.progress.waitingFor", "What the ranks wait for, while they do: a server, a model.")};
}

std::vector<Field> result_fields() {
    return {object("status.results", "What the merge published, and what it proved."),
            text("status.results.claimName", "The PersistentVolumeClaim."),
            text("status.results.path", "The folder, relative to the storage root."),
            text("status.results.sha256", "The digest that names it."),
            count("status.results.samples", "Samples of the manifest."),
            count("status.results.missing", "Samples without a record; absent: nothing says how many there should be."),
            count("status.results.repeated", "Records beyond the first of a sample; they change nothing."),
            count("status.results.conflicting", "Samples whose records differ."),
            count("status.results.failed", "Samples that the model failed on."),
            object("status.results.answers", "Answers that a person wants to know of; absent: there are none."),
            count("status.results.answers.empty", "Answers without text."),
            count("status.results.answers.truncated", "Answers that a limit of tokens ended."),
            count("status.results.answers.filtered", "Answers that a content filter ended."),
            count("status.results.answers.refused", "Samples that the server refused to answer.")};
}

std::vector<Field> summary_fields() {
    return {
        object("status.summary", "What kubectl get prints."),
        text("status.summary.status", "Pending, Suspended, Starting, Running, Restarting, Merging, Succeeded, Failed."),
        text("status.summary.nodes", "Ready or succeeded of all: 4/4."),
        text("status.summary.progress", "Samples done: 73%."),
        text("status.summary.score", "The first dataset's score."),
        object("status.nodes", "Counts of nodes."),
        count("status.nodes.total", "All.", false),
        count("status.nodes.ready", "Ready.", false),
        count("status.nodes.succeeded", "Ended with success.", false),
        count("status.nodes.failed", "Ended with failure.", false),
        text("status.selector", "Of the Pods, for the scale subresource.")};
}

}  // namespace

const std::vector<Field>& status_fields() {
    static const std::vector<Field> all = [] {
        std::vector<Field> fields{
            object("status", "What the operator observed."),
            count("status.observedGeneration", "The generation that status speaks of."),
            text("status.startTime", "RFC 3339."),
            text("status.completionTime", "RFC 3339."),
            text("status.startingSince", "While the job is being started: since when, RFC 3339."),
            text("status.identity", "Of the evaluation, as node 0 reported it before the first sample."),
            text("status.runSecret", "The Secret with the run's token and spec."),
            count("status.attempt", "The highest of any node; with scope Group, of all.", false),
            count("status.restarts", "Restarts of nodes or of all, against maxRestarts.", false),
            text("status.gang",
                 "The API that the Pods' gang was made with, or None; decided with the first "
                 "Pod."),
            {.path = "status.nodeAttempts",
             .type = Type::IntegerMap,
             .text = "The highest attempt seen of each node, by node rank."},
            {.path = "status.nextAttempts",
             .type = Type::IntegerMap,
             .text = "The attempt that was decided and not seen yet, by node rank."}};
        for (const auto& part :
             {summary_fields(), progress_fields(), metric_fields(), result_fields(), condition_fields()}) {
            fields.insert(fields.end(), part.begin(), part.end());
        }
        return fields;
    }();
    return all;
}

}  // namespace evaljob::schema
