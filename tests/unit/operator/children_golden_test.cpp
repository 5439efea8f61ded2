// The children as JSON, byte for byte. EVALJOB_UPDATE_GOLDEN=1 rewrites the files; read the difference before
// committing.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "api/contract.hpp"
#include "api/json.hpp"
#include "builders.hpp"
#include "operator/plan/gang.hpp"
#include "operator/plan/storage.hpp"
#include "tests/places.hpp"

namespace evaljob::testing {
namespace {

/// Its Secret is made, and node 0 has said what it evaluates.
EvalJob begun(EvalJob job) {
    job.status.run_secret = run_secret(job, std::string(64, '7')).at("metadata").at("name").get<std::string>();
    if (job.spec.eval) job.status.identity = test::frozen_identity();
    return job;
}

EvalJob sidecar_job() {
    return JobBuilder()
        .nodes(2)
        .procs(3)
        .port(4000)
        .pod_template(Json::parse(R"json({
          "metadata": {"labels": {"team": "vision", "evaljob.dev/role": "mine"}, "annotations": {"note": "kept"}},
          "spec": {
            "nodeSelector": {"gpu": "h200"},
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
            "restartPolicy": "Always",
            "securityContext": {"runAsUser": 1000, "seccompProfile": {"type": "Localhost"}},
            "initContainers": [
              {"name": "fetch", "image": "fetch:1", "env": [{"name": "WHERE", "value": "$(EVALJOB_SHARED_DIR)"}]},
              {"name": "server", "image": "vllm:1", "restartPolicy": "Always"}],
            "containers": [
              {"name": "metrics", "image": "metrics:1", "env": [{"name": "A", "value": "b"}]},
              {"name": "runner", "image": "mine:2", "imagePullPolicy": "Always", "command": ["sh", "-c", "exec evaljob-runner launch"],
               "env": [{"name": "OMP_NUM_THREADS", "value": "2"}],
               "securityContext": {"allowPrivilegeEscalation": true},
               "resources": {"limits": {"nvidia.com/gpu": 3}}}]}})json"))
        .build();
}

/// A Pod, and the object of its gang where there is one.
Json ganged(const JobBuilder& builder) {
    const EvalJob job = begun(builder.build());
    Json all = {{"pod", node_pod(job, {}, 1, 2)}, {"merge", merge_job(job, {})}};
    if (auto gang = gang_object(job)) all["gang"] = {{"plural", gang->plural}, {"object", std::move(gang->object)}};
    return all;
}

JobBuilder four() { return JobBuilder().nodes(4).min_nodes(2).claim("results"); }

struct Row {
    std::string name;
    std::function<Json()> build;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

const std::vector<Row> rows = {
    {"node_pod_4x2", [] { return node_pod(begun(JobBuilder().nodes(4).procs(2).build()), {}, 3, 1); }},
    {"service", [] { return headless_service(JobBuilder().nodes(4).build()); }},
    {"run_secret", [] { return run_secret(JobBuilder().build(), std::string(64, '7')); }},
    {"merge_job", [] { return merge_job(begun(JobBuilder().build()), {}); }},
    {"node_pod_sidecars", [] { return node_pod(begun(sidecar_job()), {}, 1, 0); }},
    {"merge_job_template", [] { return merge_job(begun(sidecar_job()), {}); }},
    {"node_pod_claim", [] { return node_pod(begun(JobBuilder().claim("results").build()), {}, 0, 0); }},
    {"merge_job_claim", [] { return merge_job(begun(JobBuilder().claim("results").build()), {}); }},
    {"node_pod_custom_image",
     [] {
         Json pod = {
             {"spec", {{"containers", {{{"name", "runner"}, {"image", "torch:2"}, {"command", {"torchrun"}}}}}}}};
         return node_pod(JobBuilder().custom_image().nodes(2).procs(2).pod_template(pod).build(), {}, 1, 0);
     }},
    {"merge_job_custom_image",
     [] {
         EvalJob job = JobBuilder().custom_image().group().nodes(3).build();
         job.spec.merge.expect = JobBuilder().build().spec.eval->datasets.front();
         job.status.attempt = 2;
         return merge_job(begun(job), {});
     }},
    {"merge_job_scorer",
     [] {
         EvalJob job = sidecar_job();
         Task& task = job.spec.eval->datasets.front().task;
         task.type = TaskType::Generation;
         task.scorer = Scorer{{"judge"}, "judges", {"quality"}, {}};
         return merge_job(begun(job), {});
     }},
    {"claim_retained", [] { return claim_object(JobBuilder().claim_template("ReadWriteMany").build()); }},
    {"claim_deleted",
     [] { return claim_object(JobBuilder().claim_template("ReadWriteMany", Retention::Delete).build()); }},
    {"gang_volcano", [] { return ganged(four().queue("gpus").gang_made_by("scheduling.volcano.sh/v1beta1")); }},
    {"gang_coscheduling", [] { return ganged(four().gang_made_by("scheduling.x-k8s.io/v1alpha1")); }},
    {"gang_native_1_35", [] { return ganged(four().gang_made_by("scheduling.k8s.io/v1alpha1")); }},
    {"gang_native_1_36", [] { return ganged(four().gang_made_by("scheduling.k8s.io/v1alpha2")); }},
    {"gang_native_1_37", [] { return ganged(four().gang_made_by("scheduling.k8s.io/v1beta1")); }},
    {"queue_kueue", [] { return ganged(four().queue("gpus").gang_made_by("None")); }},
    {"queue_kueue_group", [] { return ganged(four().group().queue("gpus").gang_made_by("None")); }},
    {"topology", [] { return ganged(four().topology("topology.kubernetes.io/zone")); }},
    {"node_pod_local",
     [] {
         Settings settings;
         settings.in_cluster = false;
         settings.storage_mount_path = "/home/ann/fashion";
         settings.default_rendezvous_port = 40123;
         return node_pod(begun(JobBuilder().claim("results").build()), settings, 0, 0);
     }},
};

class Golden : public ::testing::TestWithParam<Row> {};

TEST_P(Golden, Child) {
    const std::filesystem::path file =
        std::filesystem::path(EVALJOB_SOURCE_DIR) / "tests/golden/operator" / (GetParam().name + ".json");
    const std::string now = GetParam().build().dump(2) + "\n";
    if (std::getenv("EVALJOB_UPDATE_GOLDEN")) {
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << now;
        return;
    }
    std::ifstream stream(file);
    ASSERT_TRUE(stream) << file << " is missing: EVALJOB_UPDATE_GOLDEN=1 makes it";
    std::stringstream golden;
    golden << stream.rdbuf();
    EXPECT_EQ(now, golden.str());
}

INSTANTIATE_TEST_SUITE_P(Children, Golden, ::testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

const Json& container(const Json& pod, const char* list, const std::string& name) {
    for (const Json& candidate : pod.at("spec").at(list))
        if (candidate.at("name") == name) return candidate;
    throw std::runtime_error("no container " + name);
}

Environment plain_environment(const Json& container) {
    Environment environment;
    for (const Json& variable : container.value("env", Json::array()))
        if (variable.contains("value"))
            environment[variable.at("name").get<std::string>()] = variable.at("value").get<std::string>();
    return environment;
}

TEST(Children, EveryNodesContractCanBeReadBack) {
    const EvalJob job = JobBuilder().nodes(4).procs(3).build();
    for (std::int32_t node = 0; node < 4; ++node) {
        const Json pod = node_pod(job, {}, node, 2);
        const auto contract = read_contract(plain_environment(container(pod, "containers", "runner")));
        ASSERT_TRUE(contract) << contract.error().message;
        EXPECT_EQ(contract->rank, node * 3);
        EXPECT_EQ(contract->node_rank, node);
        EXPECT_EQ(contract->world_size, 12);
        EXPECT_EQ(contract->attempt, 2);
        EXPECT_EQ(contract->master_addr, "demo-0.demo.default.svc");
        EXPECT_EQ(contract->shared_dir, "/evaljob/demo");
    }
}

TEST(Children, ContractGoesToRunnerAndInitContainersAlone) {
    const Json pod = node_pod(sidecar_job(), {}, 1, 0);
    EXPECT_EQ(plain_environment(container(pod, "initContainers", "fetch")).count("NODE_RANK"), 1U);
    EXPECT_EQ(plain_environment(container(pod, "initContainers", "server")).count("NODE_RANK"), 0U);
    EXPECT_EQ(plain_environment(container(pod, "containers", "metrics")).count("NODE_RANK"), 0U);
    EXPECT_EQ(container(pod, "containers", "runner").at("env").back().at("name"), "OMP_NUM_THREADS");
}

}  // namespace
}  // namespace evaljob::testing
