#include "local/resource_path.hpp"

#include <vector>

namespace evaljob::local {
namespace {

std::vector<std::string> split(std::string_view path) {
    std::vector<std::string> parts;
    while (!path.empty()) {
        const auto slash = path.find('/');
        if (slash != 0) parts.emplace_back(path.substr(0, slash));
        path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    }
    return parts;
}

const kube::Resource* find_resource(const std::string& group, const std::string& version, const std::string& plural) {
    for (const auto* resource : served_resources()) {
        if (resource->group == group && resource->version == version && resource->plural == plural) return resource;
    }
    return nullptr;
}

std::optional<Subresource> find_subresource(const kube::Resource& resource, const std::string& name) {
    if (name == "status" && has_status(resource)) return Subresource::Status;
    if (name == "scale" && resource.kind == kube::evaljobs.kind) return Subresource::Scale;
    return std::nullopt;
}

}  // namespace

const std::vector<const kube::Resource*>& served_resources() {
    static const std::vector<const kube::Resource*> served{
        &kube::evaljobs, &kube::pods, &kube::services, &kube::secrets, &kube::jobs, &kube::events, &kube::claims};
    return served;
}

bool has_status(const kube::Resource& resource) {
    return resource.kind != kube::secrets.kind && resource.kind != kube::events.kind;
}

std::optional<ResourcePath> parse_resource_path(std::string_view path) {
    const auto parts = split(path);
    const bool core = parts.size() >= 3 && parts[0] == "api";
    if (!core && !(parts.size() >= 4 && parts[0] == "apis")) return std::nullopt;
    std::size_t next = core ? 1 : 2;
    const std::string group = core ? "" : parts[1];
    const std::string version = parts[next++];
    ResourcePath result;
    if (parts[next] == "namespaces" && parts.size() >= next + 3) {
        result.ns = parts[next + 1];
        next += 2;
    }
    const auto* resource = find_resource(group, version, parts[next++]);
    if (!resource) return std::nullopt;
    result.resource = *resource;
    if (next < parts.size()) result.name = parts[next++];
    if (next < parts.size()) {
        const auto subresource = find_subresource(*resource, parts[next++]);
        if (!subresource) return std::nullopt;
        result.subresource = *subresource;
    }
    if (next < parts.size() || (!result.name.empty() && result.ns.empty())) return std::nullopt;
    return result;
}

}  // namespace evaljob::local
