// EvalJob values → JSON as the API holds them. What is empty or absent is left out, so that a merge patch of status
// stays small and a spec reads as a person would write it.
#include "api/enum_names.hpp"
#include "api/evaljob.hpp"
#include "api/metric_json.hpp"

namespace evaljob {
namespace {

void put(Json& object, const char* key, const std::string& value) {
    if (!value.empty()) object[key] = value;
}

void put(Json& object, const char* key, const std::optional<std::int32_t>& value) {
    if (value) object[key] = *value;
}

Json task_to_json(const Task& task) {
    Json object{{"type", name_of(task.type)}};
    if (!task.classes.empty()) object["classes"] = task.classes;
    for (const TaskMetric metric : task.metrics) object["metrics"].push_back(name_of(metric));
    if (task.targets != Targets::Auto) object["targets"] = name_of(task.targets);
    put(object, "groupBy", task.group_by);
    put(object, "maxNewTokens", task.max_new_tokens);
    put(object, "prompt", task.prompt);
    put(object, "temperature", task.temperature);
    put(object, "topP", task.top_p);
    if (!task.stop.empty()) object["stop"] = task.stop;
    if (!task.pass_at.empty()) object["passAt"] = task.pass_at;
    if (task.scorer) object["scorer"] = scorer_to_json(*task.scorer);
    return object;
}

/// Without its task.
Json dataset_to_json(const Dataset& dataset) {
    Json object{{"name", dataset.name}, {"format", name_of(dataset.format)}, {"path", dataset.path}};
    put(object, "sha256", dataset.sha256);
    put(object, "labelsPath", dataset.labels_path);
    put(object, "labelsSha256", dataset.labels_sha256);
    if (dataset.limit) object["limit"] = *dataset.limit;
    put(object, "tokensBy", dataset.tokens_by);
    return object;
}

Json rule_to_json(const RestartRule& rule) {
    Json object{{"action", name_of(rule.action)}};
    if (rule.on_exit_codes) {
        object["onExitCodes"] = {{"operator", rule.on_exit_codes->in ? "In" : "NotIn"},
                                 {"values", rule.on_exit_codes->values}};
    }
    for (const PodConditionMatch& match : rule.on_pod_conditions) {
        object["onPodConditions"].push_back({{"type", match.type}, {"status", match.status}});
    }
    return object;
}

Json restart_policy_to_json(const RestartPolicy& policy) {
    Json object{{"maxRestarts", policy.max_restarts}, {"scope", name_of(policy.scope)}};
    for (const RestartRule& rule : policy.rules) object["rules"].push_back(rule_to_json(rule));
    return object;
}

Json storage_to_json(const Storage& storage) {
    Json object = Json::object();
    put(object, "claimName", storage.claim_name);
    if (storage.claim_template) object["claimTemplate"] = *storage.claim_template;
    object["retentionPolicy"] = name_of(storage.retention);
    object["writers"] = name_of(storage.writers);
    put(object, "path", storage.path);
    return object;
}

Json scheduling_to_json(const Scheduling& scheduling) {
    Json object{{"gang", name_of(scheduling.gang)}};
    put(object, "queueName", scheduling.queue_name);
    put(object, "topologyKey", scheduling.topology_key);
    return object;
}

Json progress_to_json(const Progress& progress) {
    Json object{{"samplesDone", progress.samples_done},
                {"samplesTotal", progress.samples_total},
                {"etaSeconds", progress.eta_seconds}};
    put(object, "samplesPerSecond", progress.samples_per_second);
    put(object, "slowestRank", progress.slowest_rank);
    put(object, "lastReportTime", progress.last_report_time);
    put(object, "waitingFor", progress.waiting_for);
    return object;
}

Json answers_to_json(const AnswerCounts& answers) {
    return Json{{"empty", answers.empty},
                {"truncated", answers.truncated},
                {"filtered", answers.filtered},
                {"refused", answers.refused}};
}

Json results_to_json(const Results& results) {
    Json object{{"samples", results.samples},
                {"repeated", results.repeated},
                {"conflicting", results.conflicting},
                {"failed", results.failed}};
    if (results.missing) object["missing"] = *results.missing;
    if (results.answers != AnswerCounts()) object["answers"] = answers_to_json(results.answers);
    put(object, "claimName", results.claim_name);
    put(object, "path", results.path);
    put(object, "sha256", results.sha256);
    return object;
}

/// As metav1.Condition: reason and message are required there, so they stay when empty.
Json condition_to_json(const Condition& condition) {
    Json object{{"type", condition.type},
                {"status", condition.status ? "True" : "False"},
                {"reason", condition.reason},
                {"message", condition.message},
                {"lastTransitionTime", condition.last_transition_time}};
    if (condition.observed_generation > 0) object["observedGeneration"] = condition.observed_generation;
    return object;
}

Json summary_to_json(const Summary& summary) {
    Json object = Json::object();
    put(object, "status", summary.status);
    put(object, "nodes", summary.nodes);
    put(object, "progress", summary.progress);
    put(object, "score", summary.score);
    return object;
}

Json nodes_to_json(const NodeCounts& nodes) {
    return Json{
        {"total", nodes.total}, {"ready", nodes.ready}, {"succeeded", nodes.succeeded}, {"failed", nodes.failed}};
}

/// What engine OpenAI alone has, where it is not the default.
void add_request_settings(const Model& model, Json& object) {
    for (const Header& header : model.headers) {
        Json& added = object["headers"].emplace_back(Json{{"name", header.name}});
        put(added, "value", header.value);
        put(added, "variable", header.variable);
    }
    if (!model.query.empty()) object["query"] = model.query;
    if (model.token_limit != TokenLimit::Auto) object["tokenLimit"] = name_of(model.token_limit);
    if (model.send_seed != SendSeed::Auto) object["sendSeed"] = name_of(model.send_seed);
    if (model.content_filter != ContentFilter::Fail) object["contentFilter"] = name_of(model.content_filter);
    if (model.proxy != Proxy::None) object["proxy"] = name_of(model.proxy);
}

}  // namespace

Json eval_to_json(const Eval& eval) {
    Json model{{"format", name_of(eval.model.format)}};
    put(model, "path", eval.model.path);
    put(model, "sha256", eval.model.sha256);
    if (!eval.model.command.empty()) model["command"] = eval.model.command;
    put(model, "url", eval.model.url);
    put(model, "name", eval.model.name);
    put(model, "apiKeyVariable", eval.model.api_key_variable);
    put(model, "systemPrompt", eval.model.system_prompt);
    if (!eval.model.parameters.empty()) model["parameters"] = eval.model.parameters;
    add_request_settings(eval.model, model);
    Json datasets = Json::array();
    for (const Dataset& dataset : eval.datasets) {
        datasets.push_back(dataset_to_json(dataset));
        datasets.back()["task"] = task_to_json(dataset.task);
    }
    Json inference{{"device", name_of(eval.inference.device)},
                   {"maxBatchSize", eval.inference.max_batch_size},
                   {"threadsPerRank", eval.inference.threads_per_rank},
                   {"seed", eval.inference.seed},
                   {"schedule", name_of(eval.inference.schedule)}};
    if (eval.inference.precision != Precision::FP32) inference["precision"] = name_of(eval.inference.precision);
    put(inference, "maxBatchTokens", eval.inference.max_batch_tokens);
    put(inference, "refillRows", eval.inference.refill_rows);
    put(inference, "devicesPerRank", eval.inference.devices_per_rank);
    if (eval.inference.backend != Backend::Auto) inference["backend"] = name_of(eval.inference.backend);
    if (eval.inference.cuda_graphs != CudaGraphs::None) inference["cudaGraphs"] = name_of(eval.inference.cuda_graphs);
    put(inference, "startupTimeoutSeconds", eval.inference.startup_timeout_seconds);
    put(inference, "sampleTimeoutSeconds", eval.inference.sample_timeout_seconds);
    put(inference, "maxConcurrency", eval.inference.max_concurrency);
    if (eval.inference.backup_leases != BackupLeases::Auto)
        inference["backupLeases"] = name_of(eval.inference.backup_leases);
    Json object{{"model", std::move(model)}, {"datasets", std::move(datasets)}, {"inference", std::move(inference)}};
    if (eval.repeats != 1) object["repeats"] = eval.repeats;
    if (eval.retry_failed) object["retryFailed"] = true;
    return object;
}

Json scorer_to_json(const Scorer& scorer) {
    Json object{{"command", scorer.command}, {"scores", scorer.scores}};
    put(object, "path", scorer.path);
    put(object, "timeoutSeconds", scorer.timeout_seconds);
    return object;
}

Json expect_to_json(const Dataset& expect) {
    return Json{{"dataset", dataset_to_json(expect)}, {"task", task_to_json(expect.task)}};
}

Json spec_to_json(const EvalJobSpec& spec) {
    Json rendezvous{{"readyTimeoutSeconds", spec.rendezvous.ready_timeout_seconds}};
    if (spec.rendezvous.port) rendezvous["port"] = *spec.rendezvous.port;
    Json object{{"numNodes", spec.num_nodes},
                {"numProcPerNode", spec.num_proc_per_node},
                {"rendezvous", std::move(rendezvous)},
                {"storage", storage_to_json(spec.storage)},
                {"merge",
                 {{"backoffLimit", spec.merge.backoff_limit},
                  {"allowPartial", spec.merge.allow_partial},
                  {"maxFailedSamples", spec.merge.max_failed_samples}}},
                {"restartPolicy", restart_policy_to_json(spec.restart_policy)},
                {"minNodes", spec.min_nodes},
                {"suspend", spec.suspend}};
    if (spec.eval) object["eval"] = eval_to_json(*spec.eval);
    if (spec.merge.expect) object["merge"]["expect"] = expect_to_json(*spec.merge.expect);
    if (!spec.pod_template.empty()) object["template"] = spec.pod_template;
    put(object, "startupDeadlineSeconds", spec.startup_deadline_seconds);
    put(object, "progressDeadlineSeconds", spec.progress_deadline_seconds);
    put(object, "activeDeadlineSeconds", spec.active_deadline_seconds);
    put(object, "ttlSecondsAfterFinished", spec.ttl_seconds_after_finished);
    put(object, "managedBy", spec.managed_by);
    object["scheduling"] = scheduling_to_json(spec.scheduling);
    return object;
}

Json status_to_json(const EvalJobStatus& status) {
    Json object{{"attempt", status.attempt},
                {"restarts", status.restarts},
                {"summary", summary_to_json(status.summary)},
                {"nodes", nodes_to_json(status.nodes)}};
    if (status.observed_generation > 0) object["observedGeneration"] = status.observed_generation;
    put(object, "startTime", status.start_time);
    put(object, "completionTime", status.completion_time);
    put(object, "startingSince", status.starting_since);
    put(object, "identity", status.identity);
    put(object, "runSecret", status.run_secret);
    put(object, "selector", status.selector);
    put(object, "gang", status.gang);
    for (const auto& [node, attempt] : status.node_attempts) object["nodeAttempts"][node] = attempt;
    for (const auto& [node, attempt] : status.next_attempts) object["nextAttempts"][node] = attempt;
    if (status.progress) object["progress"] = progress_to_json(*status.progress);
    for (const Metric& metric : status.metrics) object["metrics"].push_back(metric_to_json(metric));
    if (status.results) object["results"] = results_to_json(*status.results);
    for (const Condition& condition : status.conditions) {
        object["conditions"].push_back(condition_to_json(condition));
    }
    return object;
}

}  // namespace evaljob
