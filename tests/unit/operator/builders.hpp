// Fluent builders of what the planner observes.
#pragma once

#include <string>
#include <utility>

#include "api/json.hpp"
#include "api/names.hpp"
#include "api/progress_report.hpp"
#include "operator/plan/plan.hpp"
#include "tests/fashion_job.hpp"

namespace evaljob::testing {

inline constexpr const char* job_uid = "0a1b2c3d-0000-4000-8000-000000000001";

class JobBuilder {
public:
    explicit JobBuilder(const std::string& name = "demo") {
        job_.meta.name = name;
        job_.meta.ns = "default";
        job_.meta.uid = job_uid;
        job_.meta.generation = 1;
        job_.meta.resource_version = "1";
        job_.spec.storage.path = name;
        Eval eval;
        eval.model.path = "model.pt";
        Dataset dataset;
        dataset.name = "fashion";
        dataset.path = "images.gz";
        dataset.labels_path = "labels.gz";
        eval.datasets.push_back(std::move(dataset));
        job_.spec.eval = std::move(eval);
    }
    JobBuilder& nodes(std::int32_t count) { return job_.spec.num_nodes = count, *this; }
    JobBuilder& procs(std::int32_t count) { return job_.spec.num_proc_per_node = count, *this; }
    JobBuilder& custom_image() { return job_.spec.eval.reset(), *this; }
    JobBuilder& max_restarts(std::int32_t count) { return job_.spec.restart_policy.max_restarts = count, *this; }
    JobBuilder& group() { return job_.spec.restart_policy.scope = RestartScope::Group, *this; }
    JobBuilder& claim(const std::string& name) { return job_.spec.storage.claim_name = name, *this; }
    JobBuilder& claim_template(const char* mode, Retention retention = Retention::Retain) {
        job_.spec.storage.claim_template =
            Json{{"spec", {{"accessModes", {mode}}, {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}};
        job_.spec.storage.retention = retention;
        return *this;
    }
    JobBuilder& node0_writes() { return job_.spec.storage.writers = Writers::Node0, *this; }
    JobBuilder& gang(Gang gang) { return job_.spec.scheduling.gang = gang, *this; }
    JobBuilder& queue(const std::string& name) { return job_.spec.scheduling.queue_name = name, *this; }
    JobBuilder& topology(const std::string& key) { return job_.spec.scheduling.topology_key = key, *this; }
    JobBuilder& gang_made_by(const std::string& api) { return job_.status.gang = api, *this; }
    JobBuilder& pod_template(Json pod) { return job_.spec.pod_template = std::move(pod), *this; }
    JobBuilder& port(std::int32_t port) { return job_.spec.rendezvous.port = port, *this; }
    JobBuilder& min_nodes(std::int32_t count) { return job_.spec.min_nodes = count, *this; }
    JobBuilder& startup_deadline(std::int32_t seconds) { return job_.spec.startup_deadline_seconds = seconds, *this; }
    JobBuilder& progress_deadline(std::int32_t seconds) { return job_.spec.progress_deadline_seconds = seconds, *this; }
    JobBuilder& active_deadline(std::int32_t seconds) { return job_.spec.active_deadline_seconds = seconds, *this; }
    JobBuilder& time_to_live(std::int32_t seconds) { return job_.spec.ttl_seconds_after_finished = seconds, *this; }
    JobBuilder& suspended() { return job_.spec.suspend = true, *this; }
    JobBuilder& managed_by(const std::string& name) { return job_.spec.managed_by = name, *this; }
    JobBuilder& rule(RestartRule rule) { return job_.spec.restart_policy.rules.push_back(std::move(rule)), *this; }
    JobBuilder& deleting() { return job_.meta.deleting = true, *this; }
    EvalJob build() const { return job_; }

private:
    EvalJob job_;
};

class PodBuilder {
public:
    PodBuilder(const EvalJob& job, std::int32_t node, std::int32_t attempt) {
        pod_.name = names::pod(job.meta.name, node, attempt);
        pod_.uid = "uid-" + pod_.name;
        pod_.owner_uid = job.meta.uid;
        pod_.owner_kind = "EvalJob";
        pod_.node = node;
        pod_.attempt = attempt;
        pod_.phase = "Pending";
    }
    PodBuilder& owner(const std::string& kind, const std::string& uid) {
        pod_.owner_kind = kind;
        pod_.owner_uid = uid;
        return *this;
    }
    PodBuilder& running() {
        pod_.phase = "Running";
        pod_.ready = true;
        ContainerView runner;
        runner.name = names::runner_container;
        runner.running = true;
        pod_.containers = {runner};
        return *this;
    }
    /// Without a message a runner that has succeeded says what it evaluated.
    PodBuilder& exited(int code, const std::string& message = "", UnixSeconds at = 0) {
        pod_.phase = code == 0 ? "Succeeded" : "Failed";
        pod_.ready = false;
        ContainerView runner;
        runner.name = names::runner_container;
        runner.terminated = true;
        runner.exit_code = code;
        runner.reason = code == 0 ? "Completed" : "Error";
        const bool silent = code == 0 && message.empty();
        runner.termination_message = silent ? encode_last_words(test::frozen_identity()) : message;
        runner.finished_at = at;
        pod_.containers = {runner};
        return *this;
    }
    PodBuilder& with_server() {
        ContainerView server;
        server.name = "server";
        server.running = true;
        pod_.containers.push_back(server);
        pod_.phase = "Running";
        return *this;
    }
    PodBuilder& deleting() { return pod_.deleting = true, *this; }
    PodView build() const { return pod_; }

private:
    PodView pod_;
};

}  // namespace evaljob::testing
