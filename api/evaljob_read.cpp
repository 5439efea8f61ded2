#include "api/evaljob_read.hpp"

#include "api/enum_names.hpp"
#include "api/json_read.hpp"
#include "api/metric_json.hpp"

namespace evaljob {
namespace {

template <class T>
void take(const Json& object, const char* key, T& into) {
    const Json& value = member(object, key);
    if (!value.is_null()) into = value.get<T>();
}

template <class T>
void take(const Json& object, const char* key, std::optional<T>& into) {
    const Json& value = member(object, key);
    if (!value.is_null()) into = value.get<T>();
}

template <class E>
void take_enum(const Json& object, const char* key, E& into) {
    const Json& value = member(object, key);
    if (value.is_string()) into = value_named(value.get<std::string>(), into);
}

Task read_task(const Json& task) {
    Task read;
    take_enum(task, "type", read.type);
    take(task, "classes", read.classes);
    if (const Json& metrics = member(task, "metrics"); metrics.is_array()) {
        for (const Json& metric : metrics)
            read.metrics.push_back(value_named(metric.get<std::string>(), TaskMetric::ExactMatch));
    }
    if (read.type == TaskType::Generation && read.metrics.empty()) read.metrics = {TaskMetric::ExactMatch};
    if (read.type == TaskType::MultipleChoice && read.metrics.empty()) read.metrics = {TaskMetric::Accuracy};
    take_enum(task, "targets", read.targets);
    take(task, "groupBy", read.group_by);
    take(task, "maxNewTokens", read.max_new_tokens);
    take(task, "prompt", read.prompt);
    take(task, "temperature", read.temperature);
    take(task, "topP", read.top_p);
    take(task, "stop", read.stop);
    take(task, "passAt", read.pass_at);
    if (const Json& scorer = member(task, "scorer"); scorer.is_object()) read.scorer = read_scorer(scorer);
    return read;
}

Header read_header(const Json& header) {
    return Header{
        .name = text_of(header, "name"), .value = text_of(header, "value"), .variable = text_of(header, "variable")};
}

Dataset read_dataset(const Json& dataset) {
    Dataset read;
    take(dataset, "name", read.name);
    take_enum(dataset, "format", read.format);
    take(dataset, "path", read.path);
    take(dataset, "sha256", read.sha256);
    take(dataset, "labelsPath", read.labels_path);
    take(dataset, "labelsSha256", read.labels_sha256);
    take(dataset, "limit", read.limit);
    take(dataset, "tokensBy", read.tokens_by);
    read.task = read_task(member(dataset, "task"));
    return read;
}

RestartRule read_rule(const Json& rule) {
    RestartRule read;
    take_enum(rule, "action", read.action);
    if (const Json& codes = member(rule, "onExitCodes"); codes.is_object()) {
        ExitCodeMatch match;
        match.in = text_of(codes, "operator") != "NotIn";
        take(codes, "values", match.values);
        read.on_exit_codes = std::move(match);
    }
    if (const Json& conditions = member(rule, "onPodConditions"); conditions.is_array()) {
        for (const Json& condition : conditions) {
            PodConditionMatch match;
            take(condition, "type", match.type);
            take(condition, "status", match.status);
            read.on_pod_conditions.push_back(std::move(match));
        }
    }
    return read;
}

std::map<std::string, std::int32_t> read_attempts(const Json& object) {
    std::map<std::string, std::int32_t> attempts;
    if (!object.is_object()) return attempts;
    for (const auto& [node, attempt] : object.items()) {
        if (attempt.is_number_integer()) attempts[node] = attempt.get<std::int32_t>();
    }
    return attempts;
}

AnswerCounts read_answers(const Json& answers) {
    return AnswerCounts{.empty = number_of(answers, "empty"),
                        .truncated = number_of(answers, "truncated"),
                        .filtered = number_of(answers, "filtered"),
                        .refused = number_of(answers, "refused")};
}

Progress read_progress(const Json& progress) {
    return Progress{.samples_done = number_of(progress, "samplesDone"),
                    .samples_total = number_of(progress, "samplesTotal"),
                    .samples_per_second = text_of(progress, "samplesPerSecond"),
                    .eta_seconds = number_of(progress, "etaSeconds"),
                    .slowest_rank = text_of(progress, "slowestRank"),
                    .last_report_time = text_of(progress, "lastReportTime"),
                    .waiting_for = text_of(progress, "waitingFor")};
}

Results read_results(const Json& results) {
    std::optional<std::int64_t> missing;
    take(results, "missing", missing);
    return Results{.claim_name = text_of(results, "claimName"),
                   .path = text_of(results, "path"),
                   .sha256 = text_of(results, "sha256"),
                   .samples = number_of(results, "samples"),
                   .missing = missing,
                   .repeated = number_of(results, "repeated"),
                   .conflicting = number_of(results, "conflicting"),
                   .failed = number_of(results, "failed"),
                   .answers = read_answers(member(results, "answers"))};
}

Condition read_condition(const Json& condition) {
    return Condition{.type = text_of(condition, "type"),
                     .status = text_of(condition, "status") == "True",
                     .reason = text_of(condition, "reason"),
                     .message = text_of(condition, "message"),
                     .last_transition_time = text_of(condition, "lastTransitionTime"),
                     .observed_generation = number_of(condition, "observedGeneration")};
}

std::map<std::string, std::string> read_texts(const Json& object) {
    std::map<std::string, std::string> texts;
    if (!object.is_object()) return texts;
    for (const auto& [key, value] : object.items()) {
        if (value.is_string()) texts[key] = value.get<std::string>();
    }
    return texts;
}

std::int32_t small_number_of(const Json& object, const char* key) {
    return static_cast<std::int32_t>(number_of(object, key));
}

}  // namespace

Eval read_eval(const Json& eval) {
    Eval read;
    const Json& model = member(eval, "model");
    take_enum(model, "format", read.model.format);
    take(model, "path", read.model.path);
    take(model, "sha256", read.model.sha256);
    take(model, "command", read.model.command);
    take(model, "url", read.model.url);
    take(model, "name", read.model.name);
    take(model, "apiKeyVariable", read.model.api_key_variable);
    take(model, "systemPrompt", read.model.system_prompt);
    if (const Json& parameters = member(model, "parameters"); parameters.is_object())
        read.model.parameters = parameters;
    if (const Json& headers = member(model, "headers"); headers.is_array())
        for (const Json& header : headers) read.model.headers.push_back(read_header(header));
    take(model, "query", read.model.query);
    take_enum(model, "tokenLimit", read.model.token_limit);
    take_enum(model, "sendSeed", read.model.send_seed);
    take_enum(model, "contentFilter", read.model.content_filter);
    take_enum(model, "proxy", read.model.proxy);
    const Json& datasets = member(eval, "datasets");
    if (datasets.is_array()) {
        for (const Json& dataset : datasets) read.datasets.push_back(read_dataset(dataset));
    }
    const Json& inference = member(eval, "inference");
    take_enum(inference, "device", read.inference.device);
    take(inference, "maxBatchSize", read.inference.max_batch_size);
    take(inference, "maxBatchTokens", read.inference.max_batch_tokens);
    take(inference, "refillRows", read.inference.refill_rows);
    take_enum(inference, "precision", read.inference.precision);
    take(inference, "threadsPerRank", read.inference.threads_per_rank);
    take(inference, "devicesPerRank", read.inference.devices_per_rank);
    take(inference, "seed", read.inference.seed);
    take_enum(inference, "schedule", read.inference.schedule);
    take_enum(inference, "backend", read.inference.backend);
    take_enum(inference, "cudaGraphs", read.inference.cuda_graphs);
    take(inference, "startupTimeoutSeconds", read.inference.startup_timeout_seconds);
    take(inference, "sampleTimeoutSeconds", read.inference.sample_timeout_seconds);
    take(inference, "maxConcurrency", read.inference.max_concurrency);
    take_enum(inference, "backupLeases", read.inference.backup_leases);
    take(eval, "repeats", read.repeats);
    take(eval, "retryFailed", read.retry_failed);
    return read;
}

Dataset read_expect(const Json& expect) {
    Dataset read = read_dataset(member(expect, "dataset"));
    read.task = read_task(member(expect, "task"));
    return read;
}

Scorer read_scorer(const Json& scorer) {
    Scorer read;
    take(scorer, "command", read.command);
    take(scorer, "path", read.path);
    take(scorer, "scores", read.scores);
    take(scorer, "timeoutSeconds", read.timeout_seconds);
    return read;
}

EvalJobSpec read_spec(const Json& spec, const std::string& job_name) {
    EvalJobSpec read;
    take(spec, "numNodes", read.num_nodes);
    take(spec, "numProcPerNode", read.num_proc_per_node);
    if (const Json& eval = member(spec, "eval"); eval.is_object()) read.eval = read_eval(eval);
    if (const Json& pod = member(spec, "template"); pod.is_object()) read.pod_template = pod;
    const Json& rendezvous = member(spec, "rendezvous");
    take(rendezvous, "port", read.rendezvous.port);
    take(rendezvous, "readyTimeoutSeconds", read.rendezvous.ready_timeout_seconds);
    const Json& storage = member(spec, "storage");
    take(storage, "claimName", read.storage.claim_name);
    if (const Json& claim = member(storage, "claimTemplate"); claim.is_object()) read.storage.claim_template = claim;
    take_enum(storage, "retentionPolicy", read.storage.retention);
    take_enum(storage, "writers", read.storage.writers);
    read.storage.path = job_name;
    take(storage, "path", read.storage.path);
    const Json& merge = member(spec, "merge");
    take(merge, "backoffLimit", read.merge.backoff_limit);
    take(merge, "allowPartial", read.merge.allow_partial);
    take(merge, "maxFailedSamples", read.merge.max_failed_samples);
    if (const Json& expect = member(merge, "expect"); expect.is_object()) read.merge.expect = read_expect(expect);
    const Json& restart_policy = member(spec, "restartPolicy");
    take(restart_policy, "maxRestarts", read.restart_policy.max_restarts);
    read.restart_policy.scope = read.eval ? RestartScope::Node : RestartScope::Group;
    take_enum(restart_policy, "scope", read.restart_policy.scope);
    if (const Json& rules = member(restart_policy, "rules"); rules.is_array()) {
        for (const Json& rule : rules) read.restart_policy.rules.push_back(read_rule(rule));
    }
    read.min_nodes = read.eval ? 1 : read.num_nodes;
    take(spec, "minNodes", read.min_nodes);
    take(spec, "startupDeadlineSeconds", read.startup_deadline_seconds);
    take(spec, "progressDeadlineSeconds", read.progress_deadline_seconds);
    take(spec, "activeDeadlineSeconds", read.active_deadline_seconds);
    take(spec, "ttlSecondsAfterFinished", read.ttl_seconds_after_finished);
    take(spec, "suspend", read.suspend);
    take(spec, "managedBy", read.managed_by);
    const Json& scheduling = member(spec, "scheduling");
    take_enum(scheduling, "gang", read.scheduling.gang);
    take(scheduling, "queueName", read.scheduling.queue_name);
    take(scheduling, "topologyKey", read.scheduling.topology_key);
    return read;
}

EvalJobStatus read_status(const Json& status) {
    EvalJobStatus read;
    if (!status.is_object()) return read;
    read.observed_generation = number_of(status, "observedGeneration");
    read.start_time = text_of(status, "startTime");
    read.completion_time = text_of(status, "completionTime");
    read.starting_since = text_of(status, "startingSince");
    read.identity = text_of(status, "identity");
    read.run_secret = text_of(status, "runSecret");
    read.attempt = small_number_of(status, "attempt");
    read.restarts = small_number_of(status, "restarts");
    read.node_attempts = read_attempts(member(status, "nodeAttempts"));
    read.next_attempts = read_attempts(member(status, "nextAttempts"));
    read.gang = text_of(status, "gang");
    const Json& summary = member(status, "summary");
    read.summary = Summary{.status = text_of(summary, "status"),
                           .nodes = text_of(summary, "nodes"),
                           .progress = text_of(summary, "progress"),
                           .score = text_of(summary, "score")};
    const Json& nodes = member(status, "nodes");
    read.nodes = NodeCounts{.total = small_number_of(nodes, "total"),
                            .ready = small_number_of(nodes, "ready"),
                            .succeeded = small_number_of(nodes, "succeeded"),
                            .failed = small_number_of(nodes, "failed")};
    read.selector = text_of(status, "selector");
    if (const Json& progress = member(status, "progress"); progress.is_object()) {
        read.progress = read_progress(progress);
    }
    if (const Json& results = member(status, "results"); results.is_object()) read.results = read_results(results);
    if (const Json& metrics = member(status, "metrics"); metrics.is_array()) {
        for (const Json& metric : metrics) read.metrics.push_back(metric_from_json(metric));
    }
    if (const Json& conditions = member(status, "conditions"); conditions.is_array()) {
        for (const Json& condition : conditions) read.conditions.push_back(read_condition(condition));
    }
    return read;
}

ObjectMeta read_metadata(const Json& metadata) {
    return ObjectMeta{.name = text_of(metadata, "name"),
                      .ns = text_of(metadata, "namespace"),
                      .uid = text_of(metadata, "uid"),
                      .generation = number_of(metadata, "generation"),
                      .resource_version = text_of(metadata, "resourceVersion"),
                      .creation_timestamp = text_of(metadata, "creationTimestamp"),
                      .deleting = !text_of(metadata, "deletionTimestamp").empty(),
                      .labels = read_texts(member(metadata, "labels")),
                      .annotations = read_texts(member(metadata, "annotations"))};
}

}  // namespace evaljob
