#include "world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "api/json.hpp"
#include "api/json_read.hpp"
#include "api/run_spec.hpp"
#include "builders.hpp"
#include "operator/kube/views.hpp"
#include "operator/plan/status.hpp"

namespace evaljob::testing {
namespace {

std::string text(const Action& action) {
    const auto name = [](const Json& object) { return object.at("metadata").at("name").get<std::string>(); };
    if (std::holds_alternative<CreateService>(action)) return "Service";
    if (std::holds_alternative<CreateClaim>(action)) return "Claim";
    if (const auto* gang = std::get_if<CreateGang>(&action)) return text_of(gang->object, "kind");
    if (std::holds_alternative<CreateMergeJob>(action)) return "Merge";
    if (std::holds_alternative<DeleteMergeJob>(action)) return "-Merge";
    if (std::holds_alternative<DeleteJob>(action)) return "-EvalJob";
    if (const auto* create = std::get_if<CreatePod>(&action)) return "+" + name(create->object);
    const auto& remove = std::get<DeletePod>(action);
    return (remove.grace_seconds == 0 ? "--" : "-") + remove.name;
}

std::string joined(const std::vector<std::string>& parts) {
    std::string all;
    for (const std::string& part : parts) all += (all.empty() ? "" : ", ") + part;
    return all;
}

}  // namespace

World::World(EvalJob job) {
    observed.job = std::move(job);
    settings.in_cluster = false;  // most tests are of what needs no volume
}

void World::join_cluster(ClaimView found) {
    settings.in_cluster = true;
    claim = std::move(found);
}

PodView* World::current(std::int32_t node) {
    PodView* found = nullptr;
    for (PodView& pod : observed.pods)
        if (!pod.merge && pod.node == node && (!found || pod.attempt > found->attempt)) found = &pod;
    return found;
}

void World::run_pods() {
    for (PodView& pod : observed.pods)
        if (!pod.merge && pod.phase == "Pending" && !pod.deleting)
            pod = PodBuilder(observed.job, pod.node, pod.attempt).running().build();
}

void World::run_pod(std::int32_t node) {
    PodView* pod = current(node);
    *pod = PodBuilder(observed.job, node, pod->attempt).running().build();
}

void World::exit(std::int32_t node, int code, const std::string& message) {
    PodView* pod = current(node);
    *pod = PodBuilder(observed.job, node, pod->attempt).exited(code, message, now).build();
}

void World::exit_all(int code) {
    for (std::int32_t node = 0; node < observed.job.spec.num_nodes; ++node) exit(node, code);
}

void World::exit_beside_server(std::int32_t node, int code) {
    PodView* pod = current(node);
    *pod = PodBuilder(observed.job, node, pod->attempt).exited(code, "", now).with_server().build();
}

void World::begin_deletion(std::int32_t node) {
    current(node)->deleting = true;
    current(node)->grace_seconds = grace_seconds;
    current(node)->leaving_since = now;
}

void World::evict(std::int32_t node) {
    begin_deletion(node);
    current(node)->conditions = {{"DisruptionTarget", "True"}};
}

void World::end_evicted(std::int32_t node) {
    exit(node, 143);
    current(node)->conditions = {{"DisruptionTarget", "True"}};
}

void World::vanish(std::int32_t node) {
    const std::string name = current(node)->name;
    std::erase_if(observed.pods, [&](const PodView& pod) { return pod.name == name; });
}

void World::finish_deletions() {
    std::erase_if(observed.pods, [](const PodView& pod) { return pod.deleting; });
}

void World::finish_merge(const std::string& report) {
    PodView pod =
        PodBuilder(observed.job, 0, 0).owner("Job", observed.merge_job->child.uid).exited(0, report, now).build();
    pod.name = "demo-merge-x";
    pod.merge = true;
    pod.node = -1;
    observed.pods.push_back(pod);
    observed.merge_job->complete = true;
    observed.merge_job->finished_at = now;
}

void World::fail_merge(int code, const std::string& message) {
    finish_merge("");
    ContainerView& runner = observed.pods.back().containers.front();
    runner.exit_code = code;
    runner.termination_message = message;
    observed.pods.back().phase = "Failed";
    observed.merge_job->complete = false;
    observed.merge_job->failed = true;
    observed.merge_job->message = "Container runner failed with exit code " + std::to_string(code);
}

void World::report(std::int64_t done, std::int64_t total, bool rendezvous_ready) {
    ProgressReport report;
    report.samples_done = done;
    report.samples_total = total;
    report.samples_per_second = 125.04;
    report.eta_seconds = 3.2;
    report.slowest_rank = "3";
    report.rendezvous_ready = rendezvous_ready;
    report.identity = test::frozen_identity();
    report.time = now;
    observed.progress = report;
}

Plan World::step() {
    Plan plan = make_plan(observed, settings, now);
    for (int i = 0; i < 4 && plan.asks(); ++i) {
        observed.absent.insert(plan.confirm.begin(), plan.confirm.end());  // here the stores are never behind
        if (plan.read_claim) observed.claim = claim;
        if (plan.read_apis) observed.apis = served;
        claim_reads += plan.read_claim;
        if (plan.make_run_secret) make_secret();
        plan = make_plan(observed, settings, now);
    }
    check(plan);
    observed.claim.reset();  // what is read is good for one reconcile
    observed.apis.reset();
    observed.run_secret.reset();
    for (const Action& action : plan.actions) apply(action);
    observed.job.status = plan.status;
    return plan;
}

void World::make_secret() {
    const std::string token = std::string(63, '0') + std::to_string(secrets.size());
    observed.run_secret = run_secret(observed.job, token).at("metadata").at("name").get<std::string>();
    secrets.push_back(*observed.run_secret);
}

void World::settle() {
    for (int i = 0; i < 10; ++i) {
        const EvalJobStatus before = observed.job.status;
        const Plan plan = step();
        if (plan.actions.empty() && plan.events.empty() && plan.status == before) return;
    }
    ADD_FAILURE() << "ten plans, and no fixed point";
}

void World::apply(const Action& action) {
    if (std::holds_alternative<CreateService>(action)) {
        observed.service = kube::child_view(std::get<CreateService>(action).object);
        observed.service->uid = "uid-service";
    } else if (const auto* made = std::get_if<CreateClaim>(&action)) {
        claim = kube::claim_view(made->object);
    } else if (const auto* create = std::get_if<CreatePod>(&action)) {
        PodView pod = kube::pod_view(create->object);
        pod.uid = "uid-" + pod.name;
        pod.phase = "Pending";
        observed.pods.push_back(pod);
    } else if (const auto* merge = std::get_if<CreateMergeJob>(&action)) {
        observed.merge_job = kube::merge_job_view(merge->object);
        observed.merge_job->child.uid = "uid-merge";
    } else if (const auto* remove = std::get_if<DeletePod>(&action)) {
        for (PodView& pod : observed.pods) {
            if (pod.name != remove->name || pod.uid != remove->uid) continue;
            pod.deleting = true;
            pod.grace_seconds = grace_seconds;
            pod.leaving_since = now;
        }
        if (remove->grace_seconds == 0)
            std::erase_if(observed.pods, [&](const PodView& pod) { return pod.uid == remove->uid; });
    } else if (std::holds_alternative<DeleteMergeJob>(action)) {
        observed.merge_job.reset();
    } else if (std::holds_alternative<DeleteJob>(action)) {
        observed.job.meta.deleting = true;
    }
}

/// A Pod is made with the Secret that status names, and with none that was not made.
void World::check_secret(const Json& pod_spec, const EvalJobStatus& status) const {
    for (const Json& volume : member(pod_spec, "volumes")) {
        if (text_of(volume, "name") != run_spec::volume) continue;
        const std::string mounted = text_of(member(volume, "secret"), "secretName");
        EXPECT_EQ(mounted, status.run_secret);
        EXPECT_NE(std::ranges::find(secrets, mounted), secrets.end()) << mounted << " was never made";
    }
}

void World::check(const Plan& plan) const {
    const EvalJobStatus& before = observed.job.status;
    std::set<std::string> made;
    for (const Action& action : plan.actions) {
        const auto* create = std::get_if<CreatePod>(&action);
        if (!create) continue;
        const std::string name = create->object.at("metadata").at("name").get<std::string>();
        check_secret(create->object.at("spec"), plan.status);
        EXPECT_TRUE(made.insert(name).second) << name << " is made twice";
        for (const PodView& pod : observed.pods) {
            EXPECT_NE(pod.name, name) << "is there already";
            const bool lives = pod.phase == "Pending" || pod.phase == "Running";
            const auto node = create->object.at("metadata").at("labels").at(names::label_node_rank).get<std::string>();
            EXPECT_FALSE(lives && std::to_string(pod.node) == node && !pod.merge)
                << name << " is made beside the live " << pod.name;
            EXPECT_FALSE(observed.job.spec.suspend) << name << " is made while suspended";
        }
    }
    if (is_terminal(before)) {
        EXPECT_EQ(plan.status, before) << "the end was changed";
        EXPECT_TRUE(plan.events.empty());
    }
    if (is_terminal(plan.status) && !is_terminal(before)) {
        EXPECT_TRUE(plan.actions.empty()) << "clean-up in front of the status";
    }
    EXPECT_FALSE(plan.asks()) << "what was answered is asked again";
    for (const auto& [node, attempt] : before.node_attempts) EXPECT_LE(attempt, plan.status.node_attempts.at(node));
    EXPECT_LE(before.restarts, plan.status.restarts);
    EXPECT_LE(plan.status.restarts, observed.job.spec.restart_policy.max_restarts);
}

std::string line(const Plan& plan) {
    std::vector<std::string> actions;
    for (const Action& action : plan.actions) actions.push_back(text(action));
    std::vector<std::string> events;
    for (const Event& event : plan.events) events.push_back(event.reason);
    return joined(actions) + " | " + joined(events) + " | " + plan.status.summary.status + " " +
           plan.status.summary.nodes;
}

}  // namespace evaljob::testing
