// What a template may use, and what every Pod is made to keep to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/plan/pod_security.hpp"
#include "operator/plan/status.hpp"
#include "sequences.hpp"

namespace evaljob::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct Use {
    std::string name;
    const char* pod_template;
    std::string allowance;
    std::string path;
};

void PrintTo(const Use& row, std::ostream* out) { *out << row.name; }

const std::vector<Use> uses = {
    {"HostPath", R"({"spec": {"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "hostPath": {"path": "/"}}]}})",
     "host-path", "spec.template.spec.volumes[1].hostPath"},
    {"Nfs", R"({"spec": {"volumes": [{"name": "a", "nfs": {"server": "x"}}]}})", "volume-types",
     "spec.template.spec.volumes[0].nfs"},
    {"HostNetwork", R"({"spec": {"hostNetwork": true}})", "host-namespaces", "spec.template.spec.hostNetwork"},
    {"HostPid", R"({"spec": {"hostPID": true}})", "host-namespaces", "spec.template.spec.hostPID"},
    {"HostIpc", R"({"spec": {"hostIPC": true}})", "host-namespaces", "spec.template.spec.hostIPC"},
    {"HostPort", R"({"spec": {"containers": [{"name": "runner", "ports": [{"containerPort": 1, "hostPort": 1}]}]}})",
     "host-ports", "spec.template.spec.containers[0].ports[0].hostPort"},
    {"ProbeOfAnotherHost",
     R"({"spec": {"containers": [{"name": "a", "livenessProbe": {"httpGet": {"host": "169.254.169.254"}}}]}})",
     "host-namespaces", "spec.template.spec.containers[0].livenessProbe.httpGet.host"},
    {"HookToAnotherHost",
     R"({"spec": {"containers": [{"name": "a", "lifecycle": {"preStop": {"tcpSocket": {"host": "h"}}}}]}})",
     "host-namespaces", "spec.template.spec.containers[0].lifecycle.preStop.tcpSocket.host"},
    {"Privileged", R"({"spec": {"initContainers": [{"name": "a", "securityContext": {"privileged": true}}]}})",
     "privileged", "spec.template.spec.initContainers[0].securityContext.privileged"},
    {"HostProcess", R"({"spec": {"securityContext": {"windowsOptions": {"hostProcess": true}}}})", "privileged",
     "spec.template.spec.securityContext.windowsOptions"},
    {"Escalation",
     R"({"spec": {"containers": [{"name": "a", "securityContext": {"allowPrivilegeEscalation": true}}]}})",
     "privilege-escalation", "spec.template.spec.containers[0].securityContext.allowPrivilegeEscalation"},
    {"Capability",
     R"({"spec": {"containers": [{"name": "a", "securityContext":
         {"capabilities": {"add": ["NET_BIND_SERVICE", "SYS_PTRACE"]}}}]}})",
     "capabilities", "spec.template.spec.containers[0].securityContext.capabilities.add[1]"},
    {"CapabilitiesKept",
     R"({"spec": {"containers": [{"name": "a", "securityContext": {"capabilities": {"drop": ["NET_RAW"]}}}]}})",
     "capabilities", "spec.template.spec.containers[0].securityContext.capabilities.drop"},
    {"Root", R"({"spec": {"securityContext": {"runAsUser": 0}}})", "run-as-root",
     "spec.template.spec.securityContext.runAsUser"},
    {"RootAllowed", R"({"spec": {"containers": [{"name": "a", "securityContext": {"runAsNonRoot": false}}]}})",
     "run-as-root", "spec.template.spec.containers[0].securityContext.runAsNonRoot"},
    {"NoSeccomp", R"({"spec": {"securityContext": {"seccompProfile": {"type": "Unconfined"}}}})", "unconfined",
     "spec.template.spec.securityContext.seccompProfile"},
    {"NoAppArmor", R"({"spec": {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}})", "unconfined",
     "spec.template.spec.securityContext.appArmorProfile"},
    {"NoAppArmorTheOldWay",
     R"({"metadata": {"annotations": {"container.apparmor.security.beta.kubernetes.io/runner": "unconfined"}}})",
     "unconfined", "spec.template.metadata.annotations.container.apparmor.security.beta.kubernetes.io/runner"},
    {"SeLinux", R"({"spec": {"securityContext": {"seLinuxOptions": {"type": "spc_t"}}}})", "unconfined",
     "spec.template.spec.securityContext.seLinuxOptions"},
    {"Sysctl", R"({"spec": {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}}})", "unconfined",
     "spec.template.spec.securityContext.sysctls[0]"},
    {"ProcMount", R"({"spec": {"containers": [{"name": "a", "securityContext": {"procMount": "Unmasked"}}]}})",
     "unconfined", "spec.template.spec.containers[0].securityContext.procMount"},
    {"ServiceAccount", R"({"spec": {"serviceAccountName": "admin"}})", "service-account",
     "spec.template.spec.serviceAccountName"},
    {"ServiceAccountTheOldWay", R"({"spec": {"serviceAccount": "admin"}})", "service-account",
     "spec.template.spec.serviceAccount"},
    {"ServiceAccountToken", R"({"spec": {"automountServiceAccountToken": true}})", "service-account",
     "spec.template.spec.automountServiceAccountToken"},
    {"ProjectedToken",
     R"({"spec": {"volumes": [{"name": "a", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]}})",
     "service-account", "spec.template.spec.volumes[0].projected.sources[0].serviceAccountToken"},
};

class Uses : public ::testing::TestWithParam<Use> {};

TEST_P(Uses, AreTheAdministratorsToAllow) {
    const EvalJob job = JobBuilder().pod_template(Json::parse(GetParam().pod_template)).build();
    const auto refused = forbidden_use(job, {});
    ASSERT_TRUE(refused.has_value());
    EXPECT_EQ(refused->reason, "TemplateNotAllowed");
    EXPECT_EQ(refused->message, GetParam().path + ": is the administrator's to allow (evaljob-operator --allow " +
                                    GetParam().allowance + "); remove it");
    Settings all_but_it;
    for (const Allowance& allowance : allowances())
        if (allowance.name != GetParam().allowance) all_but_it.allowed.insert(allowance.name);
    EXPECT_TRUE(forbidden_use(job, all_but_it).has_value());
    Settings settings;
    settings.allowed = {GetParam().allowance};
    EXPECT_FALSE(forbidden_use(job, settings).has_value());
}

INSTANTIATE_TEST_SUITE_P(Template, Uses, ::testing::ValuesIn(uses), [](const auto& row) { return row.param.name; });

TEST(PodSecurity, EveryAllowanceHasARow) {
    for (const Allowance& allowance : allowances())
        EXPECT_TRUE(std::ranges::any_of(uses, [&](const Use& use) { return use.allowance == allowance.name; }))
            << allowance.name;
}

TEST(PodSecurity, OrdinaryTemplatesAreNotInTheWay) {
    const Json ordinary = Json::parse(R"({"metadata": {"annotations": {"note": "x"}}, "spec": {
        "serviceAccountName": "default", "nodeSelector": {"a": "b"}, "hostNetwork": false,
        "securityContext": {"runAsUser": 1000, "fsGroup": 1000, "seccompProfile": {"type": "Localhost"},
                            "sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]},
        "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory"}}, {"name": "s", "secret": {"secretName": "x"}},
                    {"name": "p", "projected": {"sources": [{"configMap": {"name": "c"}}]}}],
        "containers": [{"name": "runner", "ports": [{"containerPort": 80}],
                        "livenessProbe": {"httpGet": {"port": 80}},
                        "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}}]}})");
    EXPECT_FALSE(forbidden_use(JobBuilder().pod_template(ordinary).build(), {}).has_value());
    EXPECT_FALSE(forbidden_use(JobBuilder().build(), {}).has_value());
}

TEST(PodSecurity, AllThatIsForbiddenIsSaidAtOnceAndBounded) {
    Json spec = {{"hostNetwork", true}, {"volumes", Json::array()}};
    for (int i = 0; i < 20; ++i) spec["volumes"].push_back({{"name", "v"}, {"hostPath", {{"path", "/"}}}});
    const auto refused = forbidden_use(JobBuilder().pod_template({{"spec", spec}}).build(), {});
    EXPECT_THAT(refused->message, AllOf(HasSubstr("hostNetwork"), HasSubstr("volumes[0]"), HasSubstr("… and 11 more")));
}

TEST(PodSecurity, AForbiddenTemplateFailsTheJobBeforeAnythingIsMade) {
    World world(JobBuilder().claim("results").pod_template({{"spec", {{"hostPID", true}}}}).build());
    world.join_cluster({});
    EXPECT_EQ(line(world.step()), " | Failed | Failed 0/1");
    EXPECT_EQ(find_condition(world.observed.job.status, "Failed")->reason, "TemplateNotAllowed");
}

TEST(PodSecurity, LocalModeIsUnaffected) {
    World world(JobBuilder().pod_template({{"spec", {{"hostPID", true}}}}).build());
    EXPECT_EQ(line(world.step()), "Service, +demo-0-0 | NodesCreated | Starting 0/1");
}

/// What Pod Security restricted asks of a Pod spec; empty: all of it is there.
std::string short_of_restricted(const Json& spec) {
    const Json& pod = spec.at("securityContext");
    if (!pod.value("runAsNonRoot", false)) return "runAsNonRoot";
    if (pod.at("seccompProfile").at("type") != "RuntimeDefault") return "seccompProfile";
    for (const char* list : {"initContainers", "containers"}) {
        for (const Json& container : spec.value(list, Json::array())) {
            const Json& context = container.at("securityContext");
            const std::string name = container.at("name").get<std::string>();
            if (context.value("allowPrivilegeEscalation", true)) return name + ".allowPrivilegeEscalation";
            if (context.at("capabilities").at("drop") != Json::array({"ALL"})) return name + ".capabilities";
        }
    }
    return {};
}

TEST(PodSecurity, EveryPodMadeIsRestricted) {
    const Json pod = Json::parse(R"({"spec": {
        "initContainers": [{"name": "fetch", "securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"]}}},
                           {"name": "sidecar", "restartPolicy": "Always"}],
        "containers": [{"name": "server"}, {"name": "runner", "securityContext": {"readOnlyRootFilesystem": true}}]}})");
    const EvalJob job = JobBuilder().claim("results").pod_template(pod).build();
    EXPECT_EQ(short_of_restricted(node_pod(job, {}, 0, 0).at("spec")), "");
    EXPECT_EQ(short_of_restricted(merge_job(job, {}).at("spec").at("template").at("spec")), "");
    EXPECT_EQ(short_of_restricted(node_pod(JobBuilder().build(), {}, 0, 0).at("spec")), "");
    EXPECT_EQ(node_pod(job, {}, 0, 0).at("spec").at("automountServiceAccountToken"), false);
}

TEST(PodSecurity, WhatIsAllowedIsNotContradicted) {
    Json spec = Json::parse(R"({"securityContext": {"runAsUser": 0}, "containers": [
        {"name": "a", "securityContext": {"privileged": true}},
        {"name": "b", "securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}}}]})");
    restrict_pod(spec);
    EXPECT_FALSE(spec.at("securityContext").contains("runAsNonRoot"));
    EXPECT_FALSE(spec.at("containers").at(0).at("securityContext").contains("allowPrivilegeEscalation"));
    EXPECT_EQ(spec.at("containers").at(1).at("securityContext").at("capabilities"),
              Json::parse(R"({"add": ["SYS_PTRACE"], "drop": ["ALL"]})"));
}

}  // namespace
}  // namespace evaljob::testing
