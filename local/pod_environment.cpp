#include "local/pod_environment.hpp"

#include <algorithm>

#include "api/base64.hpp"
#include "api/expansion.hpp"
#include "local/metav1.hpp"
#include "local/secret_files.hpp"

namespace evaljob::local {
namespace {

using Value = Result<std::optional<std::string>>;  // nothing: the variable stays unset (an optional reference)

Value from_secret(const std::string& field, const Json& reference, const PodSurroundings& around) {
    const auto name = reference.value("name", ""), key = reference.value("key", "");
    const bool optional = reference.value("optional", false);
    const auto secret = around.secret(name);
    if (!secret) {
        if (optional) return std::nullopt;
        return fail("CreateContainerConfigError", field + ": secret \"" + name + "\" not found", true);
    }
    const auto encoded = string_at(*secret, "data", key.c_str());
    if (!secret->contains("data") || !secret->at("data").contains(key)) {
        if (optional) return std::nullopt;
        return fail("CreateContainerConfigError", field + ": secret \"" + name + "\" has no key \"" + key + "\"", true);
    }
    auto value = base64_decode(encoded);
    if (!value)
        return fail("CreateContainerConfigError", field + ": secret \"" + name + "\" is no base64 at \"" + key + "\"");
    return value;
}

Value from_field(const std::string& field, const Json& pod, const std::string& path, const PodSurroundings& around) {
    if (path == "status.podIP" || path == "status.hostIP") return around.ip;
    for (const auto* name : {"name", "namespace", "uid"}) {
        if (path == std::string("metadata.") + name) return string_at(pod, "metadata", name);
    }
    return fail("CreateContainerConfigError", field + ".fieldPath: '" + path + "' is not supported in local mode");
}

Value value_of(const std::string& field, const Json& variable, const Json& pod, const Environment& so_far,
               const PodSurroundings& around) {
    const auto from = variable.find("valueFrom");
    if (from == variable.end() || from->is_null()) {
        const auto value = expand(variable.value("value", ""), so_far);
        return around.address_of(value).value_or(value);
    }
    if (const auto secret = from->find("secretKeyRef"); secret != from->end())
        return from_secret(field + ".valueFrom.secretKeyRef", *secret, around);
    if (const auto own = from->find("fieldRef"); own != from->end())
        return from_field(field + ".valueFrom.fieldRef", pod, own->value("fieldPath", ""), around);
    return fail("CreateContainerConfigError",
                field + ".valueFrom: local mode supports secretKeyRef and fieldRef alone");
}

void add_if_set(std::vector<std::string>& fields, const Json& object, const char* name, const std::string& path) {
    const auto found = object.find(name);
    if (found == object.end() || found->empty()) return;
    // Volumes and mounts: but that of the run's Secret.
    if (found->is_array() && std::ranges::all_of(*found, is_run_volume)) return;
    fields.push_back(path + "." + name);
}

}  // namespace

Result<Environment> container_environment(const Json& pod, const Json& container, const PodSurroundings& around) {
    Environment environment;
    const auto path = "container " + container.value("name", "") + ": env";
    if (container.contains("envFrom") && !container.at("envFrom").empty())
        return fail("CreateContainerConfigError",
                    path + "From: not supported in local mode; name the variables in env");
    for (const auto& variable : container.value("env", Json::array())) {
        const auto name = variable.value("name", "");
        const auto value = value_of(path + "[" + name + "]", variable, pod, environment, around);
        if (!value) return tl::unexpected(value.error());
        if (*value) environment[name] = **value;
    }
    return environment;
}

Result<std::vector<std::string>> container_argv(const Json& container, const Environment& environment) {
    std::vector<std::string> argv;
    for (const auto* field : {"command", "args"}) {
        if (argv.empty() && std::string_view(field) == "args")
            return fail("CreateContainerError",
                        "container " + container.value("name", "") + ": local mode runs no images; name the command");
        for (const auto& text : container.value(field, Json::array()))
            argv.push_back(expand(text.get<std::string>(), environment));
    }
    return argv;
}

Environment base_environment(const Environment& inherited) {
    Environment base;
    for (const auto& [name, value] : inherited) {
        if (!is_reserved_variable(name)) base[name] = value;
    }
    return base;
}

std::vector<std::string> ignored_fields(const Json& pod) {
    std::vector<std::string> fields;
    const auto spec = pod.value("spec", Json::object());
    for (const auto* name : {"volumes", "nodeSelector", "affinity", "tolerations"})
        add_if_set(fields, spec, name, "spec");
    for (const auto* list : {"initContainers", "containers"}) {
        for (const auto& container : spec.value(list, Json::array())) {
            const auto path = std::string("spec.") + list + "[" + container.value("name", "") + "]";
            for (const auto* name :
                 {"resources", "volumeMounts", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"})
                add_if_set(fields, container, name, path);
        }
    }
    return fields;
}

std::string unsupported(const Json& pod) {
    const auto spec = pod.value("spec", Json::object());
    const auto policy = spec.value("restartPolicy", "Always");
    if (policy != "Never")
        return "spec.restartPolicy: " + policy + " is not supported yet in local mode, must be Never";
    for (const auto& container : spec.value("initContainers", Json::array())) {
        if (container.contains("restartPolicy"))
            return "spec.initContainers[" + container.value("name", "") +
                   "].restartPolicy: sidecar containers are not supported yet in local mode";
    }
    if (spec.value("containers", Json::array()).empty()) return "spec.containers: must have at least one container";
    return {};
}

}  // namespace evaljob::local
