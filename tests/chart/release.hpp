// The chart, installed with helm on a real API server: its namespace and that of the EvalJobs enforce Pod Security
// "restricted". The operator is the real program with the options of the chart's Deployment and a token of the chart's
// service account; what would run it in its Pod, a kubelet, is not there.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/api_server/life.hpp"
#include "tests/chart/helm.hpp"
#include "tests/e2e/program.hpp"

namespace evaljob::test {

inline const kube::Resource clusterroles{"rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole"};
inline const kube::Resource roles{"rbac.authorization.k8s.io", "v1", "roles", "Role"};
inline const kube::Resource deployments{"apps", "v1", "deployments", "Deployment"};
inline const kube::Resource definitions{"apiextensions.k8s.io", "v1", "customresourcedefinitions",
                                        "CustomResourceDefinition"};
inline constexpr const char* definition_name = "evaljobs.evaljob.dev";

class Release : public Life {
protected:
    static constexpr const char* home = "evaljob-system";  // the release's namespace; EvalJobs are in `ns`
    static constexpr const char* user = "system:serviceaccount:evaljob-system:evaljob";

    void SetUp() override;
    void TearDown() override;

    /// helm install, upgrade …, of the release "evaljob". The test has failed when helm does not succeed.
    static void install(std::vector<std::string> args = {});
    static const std::string& port();  // where an installed one listens, on loopback
    static void run_helm(const std::string& verb, const std::string& what, const std::vector<std::string>& args = {});
    static void uninstall();

    void start_operator() override;
    void stop_operator() override;
    std::string operator_log() const;
    /// A client that is the operator's service account.
    static std::unique_ptr<cluster::CpprestTransport> connect_as_operator();

    static bool exists(const kube::Resource& resource, const std::string& in, const std::string& name);
    static void change(const kube::Resource& resource, const std::string& in, const std::string& name, const Json& by);

private:
    std::optional<e2e::Program> program_;
};

}  // namespace evaljob::test
