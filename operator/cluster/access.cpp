#include "operator/cluster/access.hpp"

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "api/yaml.hpp"
#include "operator/cluster/read_file.hpp"

namespace evaljob::cluster {
namespace {

constexpr const char* service_account = "/var/run/secrets/kubernetes.io/serviceaccount";

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

Result<kube::Kubeconfig> read_kubeconfig(const std::string& path) {
    const auto text = read_file(path);
    if (!text) return tl::unexpected(text.error());
    auto content = parse_yaml(*text, path);
    if (!content) return fail("InvalidKubeconfig", content.error().message);
    const auto folder = std::filesystem::absolute(path).parent_path().string();
    return kube::Kubeconfig{std::move(*content), folder, path};
}

/// Those of $KUBECONFIG that exist, as kubectl takes them.
Result<std::vector<kube::Kubeconfig>> read_listed(const std::string& list) {
    std::vector<kube::Kubeconfig> files;
    std::istringstream paths(list);
    for (std::string path; std::getline(paths, path, ':');) {
        if (path.empty() || !std::filesystem::exists(path)) continue;
        auto file = read_kubeconfig(path);
        if (!file) return tl::unexpected(file.error());
        files.push_back(std::move(*file));
    }
    if (files.empty()) return fail("NotFound", "KUBECONFIG=" + list + ": none of these files exists");
    return files;
}

Result<kube::ClusterAccess> in_cluster(const std::string& host) {
    const std::string folder = service_account;
    const bool v6 = host.find(':') != std::string::npos;
    kube::ClusterAccess access;
    // cpprestsdk cannot talk to an IPv6 address; this name is in every API server's certificate.
    access.server = "https://" + (v6 ? "kubernetes.default.svc" : host) + ":" + environment("KUBERNETES_SERVICE_PORT");
    access.ca.file = folder + "/ca.crt";
    access.token_file = folder + "/token";
    // Without a file there is no namespace of our own: the caller has to name one.
    access.ns = read_file(folder + "/namespace").value_or("");
    return access;
}

}  // namespace

Result<kube::ClusterAccess> find_access(const std::string& kubeconfig, const std::string& context) {
    if (!kubeconfig.empty()) {
        auto file = read_kubeconfig(kubeconfig);
        if (!file) return tl::unexpected(file.error());
        return kube::access_of({std::move(*file)}, context);
    }
    if (const std::string list = environment("KUBECONFIG"); !list.empty()) {
        const auto files = read_listed(list);
        if (!files) return tl::unexpected(files.error());
        return kube::access_of(*files, context);
    }
    if (const std::string host = environment("KUBERNETES_SERVICE_HOST"); !host.empty()) return in_cluster(host);
    const std::string own = environment("HOME") + "/.kube/config";
    if (!std::filesystem::exists(own))
        return fail("NotFound", "no cluster is named: give --kubeconfig FILE, or set KUBECONFIG; " + own +
                                    " does not exist, and this is no Pod");
    return find_access(own, context);
}

}  // namespace evaljob::cluster
