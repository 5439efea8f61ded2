// The children as they are created. What the user's template says is kept; what makes a Pod this node's is put on top.
#include <algorithm>
#include <initializer_list>
#include <utility>

#include "api/contract.hpp"
#include "api/enum_names.hpp"
#include "api/exit_code.hpp"
#include "api/expansion.hpp"
#include "api/json.hpp"
#include "api/json_read.hpp"
#include "api/names.hpp"
#include "api/runner_environment.hpp"
#include "operator/plan/gang.hpp"
#include "operator/plan/metadata.hpp"
#include "operator/plan/pod_security.hpp"
#include "operator/plan/run_secret.hpp"
#include "operator/plan/storage.hpp"

namespace evaljob {
namespace {

constexpr const char* storage_volume = "evaljob-storage";

Json object_at(const Json& parent, const char* key) {
    const auto found = parent.find(key);
    return found != parent.end() && found->is_object() ? *found : Json::object();
}

Json array_at(const Json& parent, const char* key) {
    const auto found = parent.find(key);
    return found != parent.end() && found->is_array() ? *found : Json::array();
}

/// Fills in what `object` does not say itself, one level deep.
void add_defaults(Json& object, const Json& defaults) {
    for (const auto& [key, value] : defaults.items())
        if (!object.contains(key)) object[key] = value;
}

std::string shared_dir(const EvalJob& job, const Settings& settings) {
    return settings.storage_mount_path + "/" + job.spec.storage.path;
}

RankContract contract_of(const EvalJob& job, const Settings& settings, std::int32_t node, std::int32_t attempt) {
    RankContract c;
    c.job_name = job.meta.name;
    c.job_uid = job.meta.uid;
    c.run_id = names::run_id(job.meta.name, job.meta.uid);
    c.attempt = attempt;
    c.rank = node * job.spec.num_proc_per_node;
    c.local_rank = 0;
    c.node_rank = node;
    c.world_size = job.spec.world_size();
    c.local_world_size = job.spec.num_proc_per_node;
    c.num_nodes = job.spec.num_nodes;
    c.master_addr = names::host_fqdn(job.meta.name, job.meta.ns, 0);
    c.master_port = rendezvous_port(job, settings);
    c.shared_dir = shared_dir(job, settings);
    c.output_dir = names::output_dir(c.shared_dir, c.run_id, node, attempt);
    return c;
}

/// That has this very value in the container, whatever a user's path or name holds.
Json variable(const std::string& name, const std::string& value) {
    return {{"name", name}, {"value", unexpanded(value)}};
}

Json contract_variables(const RankContract& contract) {
    Json list = Json::array();
    for (const auto& [name, value] : contract_environment(contract)) list.push_back(variable(name, value));
    return list;
}

Json runner_variables(const EvalJob& job, const Settings& settings) {
    namespace names_of = runner_environment;
    Json list = Json::array({variable(names_of::storage_root, settings.storage_mount_path)});
    if (!job.spec.eval) return list;  // an image of the user's own knows nothing of our runner
    list.push_back(variable(names_of::spec_sha256, spec_sha256(job)));
    if (job.spec.storage.writers != Writers::Ranks)
        list.push_back(variable(names_of::writers, name_of(job.spec.storage.writers)));
    if (job.spec.merge.max_failed_samples > 0)
        list.push_back(variable(names_of::max_failed_samples, std::to_string(job.spec.merge.max_failed_samples)));
    list.push_back(variable(names_of::http_port, std::to_string(http_port(job, settings))));
    list.push_back(
        variable(names_of::ready_timeout_seconds, std::to_string(job.spec.rendezvous.ready_timeout_seconds)));
    list.push_back({{"name", names_of::pod_ip}, {"valueFrom", {{"fieldRef", {{"fieldPath", "status.podIP"}}}}}});
    return list;
}

/// The variables stand in front, so that the user's own may refer to them as $(NODE_RANK).
void put_in_front(Json& container, Json variables) {
    for (const Json& own : array_at(container, "env")) variables.push_back(own);
    container["env"] = std::move(variables);
}

bool is_native_sidecar(const Json& init_container) {
    const auto policy = init_container.find("restartPolicy");
    return policy != init_container.end() && *policy == "Always";
}

Json* find_runner(Json& containers) {
    for (Json& container : containers)
        if (container.is_object() && container.value("name", "") == names::runner_container) return &container;
    return nullptr;
}

void mount_storage(Json& container, const Settings& settings) {
    Json mounts = array_at(container, "volumeMounts");
    mounts.push_back({{"name", storage_volume}, {"mountPath", settings.storage_mount_path}});
    container["volumeMounts"] = std::move(mounts);
}

bool has_claim(const EvalJob& job, const Settings& settings) { return settings.in_cluster && !claim_of(job).empty(); }

bool node_has_claim(const EvalJob& job, const Settings& settings, std::int32_t node) {
    return has_claim(job, settings) && mounts_claim(job, node);
}

void add_claim(Json& spec, const EvalJob& job) {
    Json volumes = array_at(spec, "volumes");
    volumes.push_back({{"name", storage_volume}, {"persistentVolumeClaim", {{"claimName", claim_of(job)}}}});
    spec["volumes"] = std::move(volumes);
}

void add_port(Json& container, const char* name, std::int32_t port) {
    Json ports = array_at(container, "ports");
    for (const Json& own : ports)
        if (own.is_object() && own.value("name", "") == name) return;
    ports.push_back({{"name", name}, {"containerPort", port}, {"protocol", "TCP"}});
    container["ports"] = std::move(ports);
}

/// Where the kubelet reads the last words, unless they lie where they usually do.
void name_termination_log(Json& runner) {
    const std::string path = text_of(runner, "terminationMessagePath");
    if (!path.empty()) put_in_front(runner, Json::array({variable(runner_environment::termination_log, path)}));
}

void complete_runner(Json& pod_spec, Json& runner, const EvalJob& job, const Settings& settings,
                     const RankContract& contract) {
    add_defaults(runner, {{"image", settings.runner_image}, {"terminationMessagePolicy", "FallbackToLogsOnError"}});
    if (job.spec.eval) {
        add_defaults(runner, {{"command", {"evaljob-runner", "launch"}}});
        mount_run_secret(job, RunFiles::TokenAndSpec, pod_spec, runner);
        name_termination_log(runner);
    }
    put_in_front(runner, runner_variables(job, settings));
    put_in_front(runner, contract_variables(contract));
    add_port(runner, "rendezvous", rendezvous_port(job, settings));
    add_port(runner, "http", http_port(job, settings));
    if (node_has_claim(job, settings, contract.node_rank)) mount_storage(runner, settings);
}

void complete_init_containers(Json& spec, const EvalJob& job, const Settings& settings, const RankContract& contract) {
    if (!spec.contains("initContainers")) return;
    for (Json& container : spec["initContainers"]) {
        if (is_native_sidecar(container)) continue;  // a server beside the runner: no contract for it
        put_in_front(container, contract_variables(contract));
        add_defaults(container, {{"terminationMessagePolicy", "FallbackToLogsOnError"}});
        if (node_has_claim(job, settings, contract.node_rank)) mount_storage(container, settings);
    }
}

Json node_metadata(const EvalJob& job, std::int32_t node, std::int32_t attempt) {
    const Json theirs = object_at(job.spec.pod_template, "metadata");
    Json labels = object_at(theirs, "labels");
    labels.update(child_labels(job, names::role_node));
    labels[names::label_node_rank] = std::to_string(node);
    labels[names::label_attempt] = std::to_string(attempt);
    Json metadata = child_metadata(job, names::pod(job.meta.name, node, attempt));
    metadata["labels"] = std::move(labels);
    if (theirs.contains("annotations")) metadata["annotations"] = theirs["annotations"];
    return metadata;
}

/// What the merge has to know beside the spec. Of an image of the user's own: whose output counts.
Json merge_settings(const EvalJob& job) {
    Json merge = {{"allowPartial", job.spec.merge.allow_partial},
                  {"maxFailedSamples", job.spec.merge.max_failed_samples}};
    if (job.spec.eval) return merge;
    std::int32_t attempt = job.status.attempt;  // all nodes' last one, since the whole group starts again
    for (const auto& [node, seen] : job.status.node_attempts) attempt = std::max(attempt, seen);
    merge["image"] = {{"attempt", attempt}, {"nodes", job.spec.num_nodes}};
    return merge;
}

bool has_scorer(const EvalJob& job) {
    return job.spec.eval && std::any_of(job.spec.eval->datasets.begin(), job.spec.eval->datasets.end(),
                                        [](const Dataset& dataset) { return dataset.task.scorer.has_value(); });
}

Json merge_container(const EvalJob& job, const Settings& settings) {
    Json containers = array_at(object_at(job.spec.pod_template, "spec"), "containers");
    Json container = {{"name", names::runner_container}, {"image", settings.runner_image}};
    // With eval the template's image holds our runner. An image of the user's own need not.
    if (const Json* theirs = find_runner(containers); theirs && job.spec.eval) {
        for (const char* key : {"image", "imagePullPolicy"})
            if (theirs->contains(key)) container[key] = (*theirs)[key];
        for (const char* key : {"env", "envFrom"})  // a judge's key
            if (theirs->contains(key) && has_scorer(job)) container[key] = (*theirs)[key];
    }
    container["command"] = {"evaljob-runner", "merge"};
    container["terminationMessagePolicy"] = "FallbackToLogsOnError";
    put_in_front(container, {variable("EVALJOB_NAME", job.meta.name), variable("EVALJOB_UID", job.meta.uid),
                             variable("EVALJOB_RUN_ID", names::run_id(job.meta.name, job.meta.uid)),
                             variable("EVALJOB_SHARED_DIR", shared_dir(job, settings)),
                             variable(runner_environment::storage_root, settings.storage_mount_path),
                             variable(runner_environment::spec_sha256, spec_sha256(job)),
                             variable(runner_environment::merge, merge_settings(job).dump())});
    if (job.spec.eval)
        put_in_front(container, Json::array({variable(runner_environment::identity, job.status.identity)}));
    if (has_claim(job, settings)) mount_storage(container, settings);
    return container;
}

Json merge_pod_spec(const EvalJob& job, const Settings& settings) {
    Json container = merge_container(job, settings);
    Json spec = {{"restartPolicy", "Never"}, {"automountServiceAccountToken", false}};
    mount_run_secret(job, RunFiles::Spec, spec, container);
    spec["containers"] = Json::array({std::move(container)});
    // What decides whether the Pod can reach the same volume and registry; no devices, no servers.
    const Json theirs = object_at(job.spec.pod_template, "spec");
    for (const char* key : {"imagePullSecrets", "nodeSelector", "tolerations", "securityContext", "serviceAccountName",
                            "priorityClassName", "schedulerName"})
        if (theirs.contains(key)) spec[key] = theirs[key];
    if (has_claim(job, settings)) add_claim(spec, job);
    restrict_pod(spec);
    return spec;
}

/// A proof that failed, and whatever else another try cannot mend, ends the Job; a drained node does not count.
Json merge_failure_policy() {
    Json final_codes = Json::array();
    for (int code = 1; code < 256; ++code)
        if (exit_code::is_final(code)) final_codes.push_back(code);
    Json codes = {{"containerName", names::runner_container}, {"operator", "In"}, {"values", std::move(final_codes)}};
    Json disrupted = {{"type", "DisruptionTarget"}, {"status", "True"}};
    return {{"rules", Json::array({{{"action", "FailJob"}, {"onExitCodes", std::move(codes)}},
                                   {{"action", "Ignore"}, {"onPodConditions", Json::array({std::move(disrupted)})}}})}};
}

}  // namespace

std::int32_t rendezvous_port(const EvalJob& job, const Settings& settings) {
    return job.spec.rendezvous.port.value_or(settings.default_rendezvous_port);
}

std::int32_t http_port(const EvalJob& job, const Settings& settings) { return rendezvous_port(job, settings) + 1; }

Json node_pod(const EvalJob& job, const Settings& settings, std::int32_t node, std::int32_t attempt) {
    const RankContract contract = contract_of(job, settings, node, attempt);
    Json spec = object_at(job.spec.pod_template, "spec");
    spec["restartPolicy"] = "Never";
    spec["hostname"] = names::hostname(job.meta.name, node);
    spec["subdomain"] = names::service(job.meta.name);
    add_defaults(spec, {{"automountServiceAccountToken", false}});
    spec["containers"] = array_at(spec, "containers");
    if (!find_runner(spec["containers"])) {
        Json runner = {{"name", names::runner_container}};
        spec["containers"].insert(spec["containers"].begin(), std::move(runner));
    }
    // A copy: a volume is added to the Pod meanwhile.
    Json runner = *find_runner(spec["containers"]);
    complete_runner(spec, runner, job, settings, contract);
    *find_runner(spec["containers"]) = std::move(runner);
    complete_init_containers(spec, job, settings, contract);
    if (node_has_claim(job, settings, node)) add_claim(spec, job);
    restrict_pod(spec);
    Json metadata = node_metadata(job, node, attempt);
    if (settings.in_cluster) join_gang(job, attempt, metadata, spec);
    return {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", std::move(metadata)}, {"spec", std::move(spec)}};
}

Json headless_service(const EvalJob& job, const Settings& settings) {
    const auto service_port = [](const char* name, std::int32_t number) -> Json {
        return {{"name", name}, {"port", number}, {"targetPort", number}, {"protocol", "TCP"}};
    };
    return {{"apiVersion", "v1"},
            {"kind", "Service"},
            {"metadata", child_metadata(job, names::service(job.meta.name))},
            {"spec",
             {{"clusterIP", "None"},
              {"publishNotReadyAddresses", true},  // node 0 must be found before it is ready
              {"selector", child_labels(job, names::role_node)},
              {"ports", Json::array({service_port("rendezvous", rendezvous_port(job, settings)),
                                     service_port("http", http_port(job, settings))})}}}};
}

Json merge_job(const EvalJob& job, const Settings& settings) {
    const Json labels = child_labels(job, names::role_merge);
    Json metadata = child_metadata(job, names::merge_job(job.meta.name));
    metadata["labels"] = labels;
    Json pod_metadata = {{"labels", labels}};
    Json pod_spec = merge_pod_spec(job, settings);
    if (settings.in_cluster) place_merge(job, metadata, pod_metadata, pod_spec);
    Json spec = {{"backoffLimit", job.spec.merge.backoff_limit},
                 {"completions", 1},
                 {"parallelism", 1},
                 {"podReplacementPolicy", "Failed"},
                 {"podFailurePolicy", merge_failure_policy()},
                 {"template", {{"metadata", std::move(pod_metadata)}, {"spec", std::move(pod_spec)}}}};
    return {{"apiVersion", "batch/v1"}, {"kind", "Job"}, {"metadata", std::move(metadata)}, {"spec", std::move(spec)}};
}

}  // namespace evaljob
