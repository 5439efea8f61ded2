#include "operator/plan/pod_security.hpp"

#include <algorithm>
#include <array>

#include "api/json.hpp"
#include "api/json_read.hpp"

namespace evaljob {
namespace {

constexpr std::size_t most_lines = 10;

constexpr const char* host_path = "host-path";
constexpr const char* host_namespaces = "host-namespaces";
constexpr const char* host_ports = "host-ports";
constexpr const char* volume_types = "volume-types";
constexpr const char* privileged = "privileged";
constexpr const char* privilege_escalation = "privilege-escalation";
constexpr const char* capabilities = "capabilities";
constexpr const char* run_as_root = "run-as-root";
constexpr const char* unconfined = "unconfined";
constexpr const char* service_account = "service-account";

template <std::size_t Count>
bool is_one_of(const std::string& text, const std::array<const char*, Count>& all) {
    return std::ranges::find(all, text) != all.end();
}

bool is_root(const Json& context) {
    const Json& user = member(context, "runAsUser");
    return user.is_number_integer() && number_of(context, "runAsUser") == 0;
}

bool is_list_with(const Json& list, const char* value) {
    return list.is_array() && std::ranges::find(list, Json(value)) != list.end();
}

/// Looks at a template, and keeps what it may not use.
class Inspection {
public:
    explicit Inspection(const std::set<std::string>& allowed) : allowed_(allowed) {}

    void pod(const Json& spec, const std::string& path) {
        for (const char* key : {"hostNetwork", "hostPID", "hostIPC"})
            if (flag_of(spec, key)) use(host_namespaces, path + "." + key);
        for (const char* key : {"serviceAccountName", "serviceAccount"})
            if (const std::string name = text_of(spec, key); !name.empty() && name != "default")
                use(service_account, path + "." + key);
        if (flag_of(spec, "automountServiceAccountToken")) use(service_account, path + ".automountServiceAccountToken");
        each(spec, "volumes", path, [this](const Json& one, const std::string& at) { volume(one, at); });
        context(member(spec, "securityContext"), path + ".securityContext");
        for (const char* list : {"initContainers", "containers"})
            each(spec, list, path, [this](const Json& one, const std::string& at) { container(one, at); });
    }

    void annotations(const Json& all, const std::string& path) {
        if (!all.is_object()) return;
        for (const auto& [key, value] : all.items())
            if (key.starts_with("container.apparmor.security.beta.kubernetes.io/") && value == Json("unconfined"))
                use(unconfined, path + "." + key);
    }

    const std::vector<std::string>& found() const { return found_; }

private:
    template <class Look>
    static void each(const Json& parent, const char* list, const std::string& path, Look look) {
        const Json& all = member(parent, list);
        for (std::size_t i = 0; all.is_array() && i < all.size(); ++i)
            look(all[i], path + "." + list + "[" + std::to_string(i) + "]");
    }

    void use(const char* allowance, const std::string& path) {
        if (allowed_.contains(allowance)) return;
        found_.push_back(path + ": is the administrator's to allow (evaljob-operator --allow " + allowance +
                         "); remove it");
    }

    void volume(const Json& volume, const std::string& path) {
        constexpr std::array harmless{"configMap", "csi",    "downwardAPI",          "emptyDir", "ephemeral", "name",
                                      "projected", "secret", "persistentVolumeClaim"};
        if (!volume.is_object()) return;
        for (const auto& [key, value] : volume.items()) {
            if (value.is_null() || is_one_of(key, harmless)) continue;
            use(key == "hostPath" ? host_path : volume_types, path + "." + key);
        }
        each(member(volume, "projected"), "sources", path + ".projected",
             [this](const Json& one, const std::string& at) {
                 if (!member(one, "serviceAccountToken").is_null()) use(service_account, at + ".serviceAccountToken");
             });
    }

    void container(const Json& container, const std::string& path) {
        each(container, "ports", path, [this](const Json& one, const std::string& at) {
            if (number_of(one, "hostPort") != 0) use(host_ports, at + ".hostPort");
        });
        for (const char* probe : {"livenessProbe", "readinessProbe", "startupProbe"})
            elsewhere(member(container, probe), path + "." + probe);
        for (const char* hook : {"postStart", "preStop"})
            elsewhere(member(member(container, "lifecycle"), hook), path + ".lifecycle." + hook);
        const Json& own = member(container, "securityContext");
        const std::string at = path + ".securityContext";
        context(own, at);
        if (flag_of(own, "privileged")) use(privileged, at + ".privileged");
        if (flag_of(own, "allowPrivilegeEscalation")) use(privilege_escalation, at + ".allowPrivilegeEscalation");
        if (const std::string mount = text_of(own, "procMount"); !mount.empty() && mount != "Default")
            use(unconfined, at + ".procMount");
        linux_capabilities(member(own, "capabilities"), at + ".capabilities");
    }

    /// The kubelet would send its probe there, from the machine's own network.
    void elsewhere(const Json& probe, const std::string& path) {
        for (const char* way : {"httpGet", "tcpSocket"})
            if (!text_of(member(probe, way), "host").empty()) use(host_namespaces, path + "." + way + ".host");
    }

    void linux_capabilities(const Json& caps, const std::string& path) {
        each(caps, "add", path, [this](const Json& one, const std::string& at) {
            if (one != Json("NET_BIND_SERVICE")) use(capabilities, at);
        });
        const Json& drop = member(caps, "drop");
        if (!drop.is_null() && !is_list_with(drop, "ALL")) use(capabilities, path + ".drop");
    }

    /// Of the Pod or of a container.
    void context(const Json& context, const std::string& path) {
        const Json& non_root = member(context, "runAsNonRoot");
        if (non_root == Json(false)) use(run_as_root, path + ".runAsNonRoot");
        if (is_root(context)) use(run_as_root, path + ".runAsUser");
        for (const char* profile : {"seccompProfile", "appArmorProfile"})
            if (text_of(member(context, profile), "type") == "Unconfined") use(unconfined, path + "." + profile);
        if (flag_of(member(context, "windowsOptions"), "hostProcess")) use(privileged, path + ".windowsOptions");
        selinux(member(context, "seLinuxOptions"), path + ".seLinuxOptions");
        each(context, "sysctls", path, [this](const Json& one, const std::string& at) { sysctl(one, at); });
    }

    void selinux(const Json& options, const std::string& path) {
        constexpr std::array types{"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"};
        const bool own = !text_of(options, "user").empty() || !text_of(options, "role").empty();
        if (own || !is_one_of(text_of(options, "type"), types)) use(unconfined, path);
    }

    void sysctl(const Json& sysctl, const std::string& path) {
        constexpr std::array safe{
            "kernel.shm_rmid_forced",       "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
            "net.ipv4.tcp_syncookies",      "net.ipv4.ping_group_range",    "net.ipv4.ip_local_reserved_ports",
            "net.ipv4.tcp_keepalive_time",  "net.ipv4.tcp_fin_timeout",     "net.ipv4.tcp_keepalive_intvl",
            "net.ipv4.tcp_keepalive_probes"};
        if (!is_one_of(text_of(sysctl, "name"), safe)) use(unconfined, path);
    }

    const std::set<std::string>& allowed_;
    std::vector<std::string> found_;
};

/// Fills in what `object` does not say itself, one level deep.
void add_defaults(Json& object, const Json& defaults) {
    for (const auto& [key, value] : defaults.items())
        if (!object.contains(key)) object[key] = value;
}

Json object_at(const Json& parent, const char* key) {
    const Json& found = member(parent, key);
    return found.is_object() ? found : Json::object();
}

void restrict_container(Json& container) {
    Json context = object_at(container, "securityContext");
    Json caps = object_at(context, "capabilities");
    const Json& added = member(caps, "add");
    // The API server refuses a container that is privileged and may not escalate.
    const bool escalates = flag_of(context, "privileged") || is_list_with(added, "SYS_ADMIN");
    if (!escalates) add_defaults(context, {{"allowPrivilegeEscalation", false}});
    add_defaults(caps, {{"drop", {"ALL"}}});
    context["capabilities"] = std::move(caps);
    container["securityContext"] = std::move(context);
}

}  // namespace

const std::vector<Allowance>& allowances() {
    static const std::vector<Allowance> all{
        {host_path, "volumes of the machine's own folders"},
        {host_namespaces, "hostNetwork, hostPID, hostIPC, and probes of other hosts"},
        {host_ports, "ports of the machine"},
        {volume_types, "volumes beyond those of Pod Security restricted, such as nfs"},
        {privileged, "privileged containers"},
        {privilege_escalation, "allowPrivilegeEscalation"},
        {capabilities, "capabilities beside NET_BIND_SERVICE, and keeping some"},
        {run_as_root, "runAsUser 0, and runAsNonRoot false"},
        {unconfined, "no seccomp or AppArmor profile, SELinux options, sysctls, procMount"},
        {service_account, "another service account than default, and its token"},
    };
    return all;
}

std::optional<Failure> forbidden_use(const EvalJob& job, const Settings& settings) {
    Inspection inspection(settings.allowed);
    inspection.annotations(member(member(job.spec.pod_template, "metadata"), "annotations"),
                           "spec.template.metadata.annotations");
    inspection.pod(member(job.spec.pod_template, "spec"), "spec.template.spec");
    const auto& found = inspection.found();
    if (found.empty()) return {};
    std::string message;
    for (std::size_t i = 0; i < std::min(found.size(), most_lines); ++i) message += (i == 0 ? "" : "\n") + found[i];
    if (found.size() > most_lines) message += "\n… and " + std::to_string(found.size() - most_lines) + " more";
    return Failure{"TemplateNotAllowed", std::move(message)};
}

void restrict_pod(Json& pod_spec) {
    Json context = object_at(pod_spec, "securityContext");
    if (!is_root(context)) add_defaults(context, {{"runAsNonRoot", true}});
    add_defaults(context, {{"seccompProfile", {{"type", "RuntimeDefault"}}}});
    pod_spec["securityContext"] = std::move(context);
    for (const char* list : {"initContainers", "containers"}) {
        if (!pod_spec.contains(list)) continue;
        for (Json& container : pod_spec[list]) restrict_container(container);
    }
}

}  // namespace evaljob
