// helm install, upgrade and uninstall on a real API server.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include <boost/process.hpp>

#include "api/json_read.hpp"
#include "tests/chart/release.hpp"

namespace evaljob::test {
namespace {

namespace fs = std::filesystem;

class ChartOnApiServer : public Release {
protected:
    static std::vector<Json> own_pods() {
        const Json list = must(kube::list(kube::pods, home, "app.kubernetes.io/instance=evaljob"));
        return {list.at("items").begin(), list.at("items").end()};
    }
};

Json bare_pod(const std::string& in) {
    return {{"metadata", {{"name", "bare"}, {"namespace", in}}},
            {"spec", {{"containers", Json::array({{{"name", "one"}, {"image", "image"}}})}}}};
}

TEST_F(ChartOnApiServer, ItsPodIsAcceptedUnderRestricted) {
    // Whether it is enforced at all.
    for (const char* in : {home, ns}) {
        const auto refused = ControlPlane::shared().send(kube::create(kube::pods, in, bare_pod(in)));
        ASSERT_FALSE(refused.has_value()) << in;
        EXPECT_THAT(refused.error().message, testing::HasSubstr("violates PodSecurity \"restricted"));
    }
    auto values = example_values();
    values.insert(values.begin(), std::string(chart) + "/values.yaml");
    for (const std::string& file : values) {
        if (file.find("monitored") != std::string::npos) continue;  // PodMonitors are not served here
        install({"-f", file, "--set", "fullnameOverride=", "--set", "crds.keep=true,crds.enabled=true"});
        await(file + ": the Deployment has a Pod", [] { return !own_pods().empty(); });
        uninstall();
        await("its Pods are gone", [] { return own_pods().empty(); });
    }
}

TEST_F(ChartOnApiServer, AnUpgradeChangesTheCrdAndAnUninstallKeepsIt) {
    const auto column = [] {
        const Json crd = must(kube::get(definitions, "", definition_name));
        return text_of(crd.at("spec").at("versions").at(0).at("additionalPrinterColumns").at(0), "name");
    };
    install();
    EXPECT_EQ(column(), "Status");

    const fs::path next = fs::path(ControlPlane::shared().kubeconfig()).parent_path() / "next-chart";
    fs::copy(chart, next, fs::copy_options::recursive);
    const fs::path file = next / "files/evaljobs.evaljob.dev.yaml";
    std::string text = e2e::read_text(file.string());
    const std::string old = "name: Status";
    ASSERT_NE(text.find(old), std::string::npos);
    std::ofstream(file) << text.replace(text.find(old), old.size(), "name: State");
    run_helm("upgrade", next.string());
    EXPECT_EQ(column(), "State");

    must(kube::create(kube::evaljobs, ns, fashion_job("kept", 1)));
    uninstall();
    EXPECT_FALSE(exists(deployments, home, "evaljob"));
    EXPECT_FALSE(exists(clusterroles, "", "evaljob"));
    EXPECT_TRUE(exists(definitions, "", definition_name));
    EXPECT_TRUE(exists(kube::evaljobs, ns, "kept"));

    install();  // takes over what was kept
    EXPECT_EQ(column(), "Status");
    EXPECT_TRUE(exists(kube::evaljobs, ns, "kept"));
    must(kube::remove(kube::evaljobs, ns, "kept", "", -1));
}

TEST_F(ChartOnApiServer, ProbesAndDashboardFindWhatTheyAskFor) {
    install();
    start_operator();
    const auto ask = [&](const std::string& path) {
        boost::process::ipstream out;
        const int status = boost::process::system(boost::process::search_path("curl"), "-sf",
                                                  "http://127.0.0.1:" + port() + path, boost::process::std_out > out);
        return std::make_pair(status, std::string(std::istreambuf_iterator<char>(out), {}));
    };
    const Json deployment = must(kube::get(deployments, home, "evaljob"));
    const Json& container = deployment.at("spec").at("template").at("spec").at("containers").at(0);
    EXPECT_EQ(container.at("ports").at(0).at("containerPort").dump(), port());
    for (const char* probe : {"livenessProbe", "readinessProbe"}) {
        const std::string path = text_of(container.at(probe).at("httpGet"), "path");
        await(path, [&] { return ask(path).first == 0; });
    }
    must(kube::create(kube::evaljobs, ns, fashion_job("measured", 1)));  // some show from the first reconcile on
    std::string metrics;
    await("a reconcile is counted", [&] {
        metrics = ask("/metrics").second;
        return metrics.find("controller_runtime_reconcile_total{") != std::string::npos;
    });
    must(kube::remove(kube::evaljobs, ns, "measured", "", -1));
    const Json dashboard = Json::parse(e2e::read_text(std::string(chart) + "/files/dashboard.json"));
    std::set<std::string> names;
    const std::regex metric("(evaljob|controller_runtime|workqueue|rest_client|leader_election)_[a-z_]+");
    for (const Json& panel : dashboard.at("panels"))
        for (const Json& target : panel.value("targets", Json::array())) {
            const std::string query = text_of(target, "expr");
            for (std::sregex_iterator found(query.begin(), query.end(), metric), end; found != end; ++found)
                names.insert(std::regex_replace(found->str(), std::regex("_bucket$"), ""));
        }
    EXPECT_GT(names.size(), 15U);
    for (const std::string& name : names) EXPECT_THAT(metrics, testing::HasSubstr("# TYPE " + name + " "));
}

TEST_F(ChartOnApiServer, WhoMayEditMayEditEvalJobs) {
    install();
    const auto aggregated = [](const char* role, const char* verb, const char* resource) {
        const Json cluster_role = must(kube::get(clusterroles, "", role));
        for (const Json& rule : cluster_role.at("rules"))
            for (const Json& one : rule.value("resources", Json::array()))
                for (const Json& may : rule.at("verbs"))
                    if (one == resource && may == verb) return true;
        return false;
    };
    for (const char* role : {"view", "edit", "admin"})
        await(role, [&] { return aggregated(role, "watch", "evaljobs"); });
    for (const char* role : {"edit", "admin"}) await(role, [&] { return aggregated(role, "create", "evaljobs"); });
    EXPECT_FALSE(aggregated("view", "create", "evaljobs"));
    EXPECT_FALSE(aggregated("admin", "patch", "evaljobs/status"));
}

}  // namespace
}  // namespace evaljob::test
