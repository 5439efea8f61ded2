// What the chart renders and refuses, without a cluster.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "api/crd.hpp"
#include "api/json_read.hpp"
#include "operator/plan/pod_security.hpp"
#include "tests/chart/helm.hpp"

namespace evaljob::test {
namespace {

using testing::HasSubstr;

class Chart : public testing::Test {
protected:
    void SetUp() override { need_helm(); }
};

const Json& container_of(const Json& deployment) {
    return deployment.at("spec").at("template").at("spec").at("containers").at(0);
}

std::vector<std::string> args_of(const Json& deployment) {
    return container_of(deployment).at("args").get<std::vector<std::string>>();
}

std::string source(const char* name) {
    std::ifstream file(std::string(chart) + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> kinds_of(const std::vector<Json>& objects) {
    std::vector<std::string> kinds;
    for (const Json& object : objects) kinds.push_back(text_of(object, "kind"));
    return kinds;
}

TEST_F(Chart, IsWithoutLint) {
    auto values = example_values();
    ASSERT_GE(values.size(), 3U);
    values.insert(values.begin(), std::string(chart) + "/values.yaml");
    for (const std::string& file : values) {
        const HelmAnswer answer = helm({"lint", "--strict", chart, "-f", file});
        EXPECT_EQ(answer.status, 0) << file << "\n" << answer.out << answer.err;
        EXPECT_FALSE(rendered({"-f", file}).empty()) << file;
    }
}

TEST_F(Chart, BringsTheCrdAsItIsMade) {
    Json made = the(rendered({}), "CustomResourceDefinition");
    EXPECT_EQ(made.at("metadata").at("annotations"), (Json{{"helm.sh/resource-policy", "keep"}}));
    made["metadata"].erase("annotations");
    made["metadata"].erase("labels");
    EXPECT_EQ(made, crd());

    const Json removed = the(rendered({"--set", "crds.keep=false"}), "CustomResourceDefinition");
    EXPECT_FALSE(removed.at("metadata").contains("annotations"));
    EXPECT_THAT(kinds_of(rendered({"--set", "crds.enabled=false"})),
                testing::Not(testing::Contains("CustomResourceDefinition")));
}

TEST_F(Chart, OfOneNamespaceMakesNothingOfTheClusters) {
    const auto objects = rendered({"--set", "watchNamespace=vision,crds.enabled=false"});
    for (const Json& object : objects) {
        EXPECT_THAT(text_of(object, "kind"), testing::Not(testing::StartsWith("Cluster")));
        EXPECT_NE(text_of(object.at("metadata"), "namespace"), "") << object.at("metadata");
    }
    EXPECT_EQ(the(objects, "Role", "evaljob").at("metadata").at("namespace"), "vision");
    EXPECT_EQ(the(objects, "RoleBinding", "evaljob").at("metadata").at("namespace"), "vision");
    EXPECT_EQ(the(objects, "Role", "-lease").at("metadata").at("namespace"), "evaljob-system");
    EXPECT_THAT(args_of(the(objects, "Deployment")), testing::Contains("--namespace=vision"));

    const auto everywhere = rendered({});
    EXPECT_EQ(the(everywhere, "ClusterRole", "evaljob").at("rules"), the(objects, "Role", "evaljob").at("rules"));
    EXPECT_THAT(args_of(the(everywhere, "Deployment")), testing::Not(testing::Contains(HasSubstr("--namespace"))));
}

TEST_F(Chart, GivesNoMoreThanNamedRights) {
    for (const std::string& file : example_values())
        for (const Json& object : rendered({"-f", file})) {
            if (!text_of(object, "kind").ends_with("Role")) continue;
            for (const Json& rule : object.at("rules")) {
                EXPECT_THAT(rule.dump(), testing::Not(HasSubstr("*")));
                EXPECT_THAT(rule.dump(), testing::Not(HasSubstr("pods/exec")));
                if (rule.at("resources") == Json{"secrets"}) {
                    EXPECT_EQ(rule.at("verbs"), Json{"create"});
                }
            }
        }
}

TEST_F(Chart, AllowsTemplatesWhatTheOperatorKnows) {
    const auto schema = Json::parse(source("values.schema.json"));
    std::set<std::string> allowed;
    for (const Json& name : schema.at("properties").at("operator").at("properties").at("allow").at("items").at("enum"))
        allowed.insert(name.get<std::string>());
    std::set<std::string> known;
    for (const Allowance& allowance : allowances()) known.insert(allowance.name);
    EXPECT_EQ(allowed, known);
    EXPECT_THAT(args_of(the(rendered({"--set", "operator.allow={host-path,capabilities}"}), "Deployment")),
                testing::Contains("--allow=host-path,capabilities"));
}

TEST_F(Chart, TakesImagesByDigestOrTag) {
    const std::string digest = "sha256:" + std::string(64, 'a');
    const auto image = [](const std::vector<Json>& objects) {
        return container_of(the(objects, "Deployment")).at("image");
    };
    EXPECT_EQ(image(rendered({})), "evaljob-operator:0.1.0");
    EXPECT_EQ(image(rendered({"--set", "image.tag=v7"})), "evaljob-operator:v7");
    EXPECT_EQ(image(rendered({"--set", "image.tag=v7,image.digest=" + digest})), "evaljob-operator@" + digest);
    EXPECT_THAT(args_of(the(rendered({"--set", "runnerImage.digest=" + digest}), "Deployment")),
                testing::Contains("--runner-image=evaljob-runner@" + digest));
}

TEST_F(Chart, LetsPrometheusAndGrafanaFindIt) {
    const auto objects = rendered({"-f", std::string(chart) + "/ci/monitored-values.yaml"});
    const Json monitor = the(objects, "PodMonitor");
    EXPECT_EQ(monitor.at("metadata").at("labels").at("release"), "kube-prometheus-stack");
    const Json deployment = the(objects, "Deployment");
    const Json& labels = deployment.at("spec").at("template").at("metadata").at("labels");
    for (const auto& [key, value] : monitor.at("spec").at("selector").at("matchLabels").items())
        EXPECT_EQ(labels.at(key), value);
    EXPECT_EQ(monitor.at("spec").at("podMetricsEndpoints").at(0).at("port"),
              container_of(deployment).at("ports").at(0).at("name"));

    const Json dashboard = the(objects, "ConfigMap");
    EXPECT_EQ(dashboard.at("metadata").at("labels").at("grafana_dashboard"), "1");
    const Json content = Json::parse(dashboard.at("data").at("evaljob.json").get<std::string>(), nullptr, false);
    ASSERT_TRUE(content.is_object());
    EXPECT_GT(content.at("panels").size(), 10U);
}

TEST_F(Chart, RefusesWrongValuesByName) {
    struct Row {
        const char* set;
        const char* said;
    };
    for (const Row& row : {
             Row{"replicas=-1", "replicas"},
             Row{"replicas=two", "replicas"},
             Row{"replica=2", "replica"},
             Row{"watchNamespace=Vision", "watchNamespace"},
             Row{"image.digest=sha256:12", "digest"},
             Row{"image.pullPolicy=Sometimes", "pullPolicy"},
             Row{"operator.workers=0", "workers"},
             Row{"operator.logLevel=loud", "logLevel"},
             Row{"operator.listen.port=80", "port"},
             Row{"operator.allow={everything}", "allow"},
             Row{"rbac.gangs={Slurm}", "gangs"},
             Row{"crds.keep=maybe", "keep"},
             Row{"podMonitor.interval=often", "interval"},
             Row{"fullnameOverride=Not_A_Name", "fullnameOverride"},
         }) {
        const HelmAnswer answer = render({"--set", row.set});
        EXPECT_NE(answer.status, 0) << row.set;
        EXPECT_THAT(answer.err, HasSubstr("values don't meet the specifications of the schema")) << row.set;
        EXPECT_THAT(answer.err, HasSubstr(row.said)) << row.set;
    }
}

}  // namespace
}  // namespace evaljob::test
