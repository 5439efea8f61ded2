#include "operator/kube/kubeconfig.hpp"

#include "api/base64.hpp"
#include "api/json_read.hpp"

namespace evaljob::kube {
namespace {

struct Found {
    const Json* value = nullptr;
    const Kubeconfig* file = nullptr;
};

tl::unexpected<Error> invalid(const std::string& message) { return fail("InvalidKubeconfig", message); }

/// The entry of that name in lists like clusters: [{name, cluster: {…}}].
Found find(const std::vector<Kubeconfig>& files, const char* list, const char* of, const std::string& name) {
    for (const Kubeconfig& file : files)
        for (const Json& entry : member(file.content, list))
            if (text_of(entry, "name") == name) return {&member(entry, of), &file};
    return {};
}

std::string absolute(const Kubeconfig& file, const std::string& path) {
    return path.empty() || path.front() == '/' ? path : file.folder + "/" + path;
}

/// KEY-data in base64, or KEY as a file's name.
Result<PemSource> pem_of(const Found& found, const std::string& key) {
    const std::string encoded = text_of(*found.value, (key + "-data").c_str());
    if (encoded.empty()) return PemSource{{}, absolute(*found.file, text_of(*found.value, key.c_str()))};
    auto decoded = base64_decode(encoded);
    if (!decoded) return invalid(found.file->path + ": " + key + "-data is no base64");
    return PemSource{std::move(*decoded), {}};
}

Result<ExecPlugin> exec_of(const Found& user) {
    const Json& exec = member(*user.value, "exec");
    ExecPlugin plugin{text_of(exec, "apiVersion"), text_of(exec, "command"), {}, {}, text_of(exec, "installHint")};
    if (plugin.command.empty()) return invalid(user.file->path + ": users[].user.exec has no command");
    // A command with a slash is relative to the file, one without is looked for on PATH.
    if (plugin.command.find('/') != std::string::npos) plugin.command = absolute(*user.file, plugin.command);
    for (const Json& arg : member(exec, "args"))
        if (arg.is_string()) plugin.args.push_back(arg.get<std::string>());
    for (const Json& variable : member(exec, "env")) plugin.env[text_of(variable, "name")] = text_of(variable, "value");
    return plugin;
}

Result<ClusterAccess> cluster_of(const Found& cluster, const std::string& name) {
    if (!cluster.value) return invalid("no kubeconfig has a cluster \"" + name + "\": mend the context's cluster");
    const std::string where = cluster.file->path + ": cluster \"" + name + "\": ";
    ClusterAccess access;
    access.server = text_of(*cluster.value, "server");
    if (!access.server.starts_with("https://"))
        return invalid(where + "server must begin with https://, is \"" + access.server + "\"");
    while (access.server.ends_with('/')) access.server.pop_back();
    if (flag_of(*cluster.value, "insecure-skip-tls-verify"))
        return invalid(where + "insecure-skip-tls-verify is refused: name the authority in certificate-authority");
    for (const char* key : {"tls-server-name", "proxy-url"})
        if (!text_of(*cluster.value, key).empty()) return invalid(where + key + " is not supported yet");
    auto ca = pem_of(cluster, "certificate-authority");
    if (!ca) return tl::unexpected(ca.error());
    access.ca = std::move(*ca);
    return access;
}

Result<ClusterAccess> with_user(ClusterAccess access, const Found& user, const std::string& name) {
    if (name.empty()) return access;
    if (!user.value) return invalid("no kubeconfig has a user \"" + name + "\": mend the context's user");
    const std::string where = user.file->path + ": user \"" + name + "\": ";
    for (const char* key : {"auth-provider", "username", "password"})
        if (!member(*user.value, key).is_null())
            return invalid(where + key + " is not supported: use a token, a client certificate, or exec");
    auto certificate = pem_of(user, "client-certificate");
    if (!certificate) return tl::unexpected(certificate.error());
    auto key = pem_of(user, "client-key");
    if (!key) return tl::unexpected(key.error());
    if (certificate->empty() != key->empty())
        return invalid(where + "client-certificate and client-key go together, and one is missing");
    access.client_certificate = std::move(*certificate);
    access.client_key = std::move(*key);
    access.token = text_of(*user.value, "token");
    access.token_file = absolute(*user.file, text_of(*user.value, "tokenFile"));
    if (member(*user.value, "exec").is_object()) {
        auto exec = exec_of(user);
        if (!exec) return tl::unexpected(exec.error());
        access.exec = std::move(*exec);
    }
    return access;
}

std::string current_context(const std::vector<Kubeconfig>& files) {
    for (const Kubeconfig& file : files)
        if (std::string name = text_of(file.content, "current-context"); !name.empty()) return name;
    return {};
}

}  // namespace

Result<ClusterAccess> access_of(const std::vector<Kubeconfig>& files, const std::string& context) {
    const std::string name = context.empty() ? current_context(files) : context;
    if (name.empty()) return invalid("no kubeconfig has a current-context: name one with --context");
    const Found found = find(files, "contexts", "context", name);
    if (!found.value) return invalid("no kubeconfig has a context \"" + name + "\": name another with --context");
    const std::string cluster = text_of(*found.value, "cluster");
    auto access = cluster_of(find(files, "clusters", "cluster", cluster), cluster);
    if (!access) return access;
    access->ns = text_of(*found.value, "namespace");
    const std::string user = text_of(*found.value, "user");
    return with_user(std::move(*access), find(files, "users", "user", user), user);
}

}  // namespace evaljob::kube
