#include "local/object_write.hpp"

#include <algorithm>

#include "api/base64.hpp"

namespace evaljob::local {
namespace {

// What a writer of the main resource cannot change.
constexpr const char* kept_metadata[] = {
    "name", "namespace", "uid", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"};

bool is_subdomain(const std::string& name) {
    const auto edge = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    if (name.empty() || name.size() > 253 || !edge(name.front()) || !edge(name.back())) return false;
    return std::all_of(name.begin(), name.end(), [&](char c) { return edge(c) || c == '-' || c == '.'; });
}

void keep(Json& object, const Json& old, const char* field) {
    if (const auto found = old.find(field); found != old.end())
        object[field] = *found;
    else
        object.erase(field);
}

bool is_text_map(const Json& value) {
    return value.is_object() && std::all_of(value.begin(), value.end(), [](const Json& v) { return v.is_string(); });
}

/// The parts of metadata that the server itself reads.
Answer<void> check_metadata(const Json& meta) {
    if (!meta.is_object()) return refuse(400, "BadRequest", "metadata: must be an object");
    const auto field = [&](const char* name) { return meta.value(name, Json()); };
    for (const auto* name : {"name", "generateName", "namespace", "uid", "resourceVersion"}) {
        if (const auto value = field(name); !value.is_null() && !value.is_string())
            return refuse(400, "BadRequest", std::string("metadata.") + name + ": must be a string");
    }
    for (const auto* name : {"labels", "annotations"}) {
        if (const auto value = field(name); !value.is_null() && !is_text_map(value))
            return refuse(400, "BadRequest", std::string("metadata.") + name + ": must be an object of strings");
    }
    const auto owners = field("ownerReferences");
    const auto names_owner = [](const Json& owner) {
        return owner.is_object() && owner.contains("uid") && owner.at("uid").is_string();
    };
    if (!owners.is_null() && !(owners.is_array() && std::all_of(owners.begin(), owners.end(), names_owner)))
        return refuse(422, "Invalid", "metadata.ownerReferences: must be a list of objects with a uid");
    const auto finalizers = field("finalizers");
    const auto is_text = [](const Json& value) { return value.is_string(); };
    if (!finalizers.is_null() && !(finalizers.is_array() && std::all_of(finalizers.begin(), finalizers.end(), is_text)))
        return refuse(422, "Invalid", "metadata.finalizers: must be a list of strings");
    return {};
}

/// Everything but metadata and status: what the generation counts.
Json essence(Json object) {
    object.erase("metadata");
    object.erase("status");
    return object;
}

void encode_secret(Json& object) {
    const auto plain = object.find("stringData");
    if (plain == object.end()) return;
    for (const auto& [key, value] : plain->items()) {
        if (value.is_string()) object["data"][key] = base64_encode(value.get<std::string>());
    }
    object.erase("stringData");
}

Answer<void> check_immutable(const ResourcePath& path, const Json& next, const Json& old) {
    const auto at = [](const Json& object, const char* pointer) {
        return object.value(Json::json_pointer(pointer), Json());
    };
    const char* fixed = path.resource.kind == kube::pods.kind   ? "/spec"
                        : path.resource.kind == kube::jobs.kind ? "/spec/template"
                                                                : nullptr;
    if (path.resource.kind == kube::secrets.kind && old.value("immutable", false))
        for (const char* kept : {"/immutable", "/data"})
            if (at(next, kept) != at(old, kept))
                return invalid(path.resource, path.name,
                               std::string(kept + 1) + ": Forbidden: field is immutable when `immutable` is set");
    if (fixed && at(next, fixed) != at(old, fixed))
        return invalid(path.resource, path.name, std::string(fixed + 1) + ": field is immutable");
    return {};
}

Answer<Json> scaled(const ResourcePath& path, const Json& candidate, const Json& old) {
    const auto replicas = candidate.value(Json::json_pointer("/spec/replicas"), Json());
    if (!replicas.is_number_integer()) return invalid(path.resource, path.name, "spec.replicas: must be an integer");
    Json next = old;
    next["spec"]["numNodes"] = replicas;
    return next;
}

Answer<Json> with_new_status(const Json& candidate, const Json& old) {
    Json next = old;
    keep(next, candidate, "status");
    return next;
}

/// What a writer may leave out, but not say otherwise.
Answer<void> check_fixed_metadata(const ResourcePath& path, const Json& candidate, const Json& old) {
    for (const auto* field : {"uid", "deletionTimestamp"}) {
        const auto given = string_at(candidate, "metadata", field);
        if (!given.empty() && given != string_at(old, "metadata", field))
            return invalid(path.resource, path.name, std::string("metadata.") + field + ": field is immutable");
    }
    return {};
}

Answer<Json> with_new_content(const ResourcePath& path, const Json& candidate, const Json& old) {
    Json next = candidate;
    if (has_status(path.resource)) keep(next, old, "status");
    for (const auto* field : kept_metadata) keep(next["metadata"], old.at("metadata"), field);
    if (path.resource.kind == kube::secrets.kind) encode_secret(next);
    if (auto fixed = check_immutable(path, next, old); !fixed) return tl::unexpected(fixed.error());
    return next;
}

}  // namespace

Answer<Json> read_object(const ResourcePath& path, Json object) {
    if (!object.is_object()) return refuse(400, "BadRequest", "the body is not a JSON object");
    if (!object.contains("metadata")) object["metadata"] = Json::object();
    if (const auto sound = check_metadata(object.at("metadata")); !sound) return tl::unexpected(sound.error());
    if (path.subresource == Subresource::Scale) return object;
    const auto kind = object.value("kind", Json(path.resource.kind));
    const auto version = object.value("apiVersion", Json(api_version_of(path.resource)));
    if (kind != path.resource.kind || version != api_version_of(path.resource))
        return refuse(400, "BadRequest",
                      "kind and apiVersion: must be " + path.resource.kind + " and " + api_version_of(path.resource) +
                          " at this path");
    const auto ns = string_at(object, "metadata", "namespace");
    if (!ns.empty() && ns != path.ns)
        return refuse(400, "BadRequest",
                      "metadata.namespace: '" + ns + "' does not match the namespace of the request");
    object["kind"] = path.resource.kind;
    object["apiVersion"] = api_version_of(path.resource);
    return object;
}

Answer<Json> prepare_create(const ResourcePath& path, Json object, const std::string& generated_suffix) {
    auto& meta = object["metadata"];
    if (!string_at(object, "metadata", "resourceVersion").empty())
        return refuse(400, "BadRequest", "metadata.resourceVersion: must not be set on objects to be created");
    if (string_at(object, "metadata", "name").empty() && !string_at(object, "metadata", "generateName").empty())
        meta["name"] = string_at(object, "metadata", "generateName") + generated_suffix;
    const auto name = string_at(object, "metadata", "name");
    if (!is_subdomain(name))
        return invalid(path.resource, name,
                       "metadata.name: must be lower-case letters, digits, '-' and '.', at most 253 of them");
    meta["namespace"] = path.ns;
    for (const auto* field : {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"}) meta.erase(field);
    if (has_status(path.resource)) object.erase("status");
    if (path.resource.kind == kube::pods.kind) object["status"] = {{"phase", "Pending"}};
    if (path.resource.kind == kube::secrets.kind) encode_secret(object);
    return object;
}

Answer<void> check_preconditions(const ResourcePath& path, const Json& candidate, const Json& old) {
    const auto uid = string_at(candidate, "metadata", "uid");
    if (const auto is = string_at(old, "metadata", "uid"); !uid.empty() && uid != is)
        return conflict(path.resource, path.name,
                        "Precondition failed: UID in precondition: " + uid + ", UID in object meta: " + is);
    const auto version = string_at(candidate, "metadata", "resourceVersion");
    if (!version.empty() && version != string_at(old, "metadata", "resourceVersion"))
        return conflict(path.resource, path.name,
                        "the object has been modified; please apply your changes to the latest version and try again");
    return {};
}

Answer<Json> prepare_update(const ResourcePath& path, const Json& candidate, const Json& old) {
    if (auto fixed = check_fixed_metadata(path, candidate, old); !fixed) return tl::unexpected(fixed.error());
    auto next = path.subresource == Subresource::Status  ? with_new_status(candidate, old)
                : path.subresource == Subresource::Scale ? scaled(path, candidate, old)
                                                         : with_new_content(path, candidate, old);
    if (!next) return next;
    auto& meta = next->at("metadata");
    keep(meta, old.at("metadata"), "resourceVersion");
    if (meta.contains("generation") && essence(*next) != essence(old))
        meta["generation"] = meta.at("generation").get<std::int64_t>() + 1;
    return next;
}

Json scale_of(const Json& evaljob) {
    const auto& meta = evaljob.at("metadata");
    Json scale{{"kind", "Scale"}, {"apiVersion", "autoscaling/v1"}};
    for (const auto* field : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"})
        scale["metadata"][field] = meta.at(field);
    scale["spec"]["replicas"] = evaljob.value(Json::json_pointer("/spec/numNodes"), Json(1));
    scale["status"]["replicas"] = evaljob.value(Json::json_pointer("/status/nodes/total"), Json(0));
    const auto selector = string_at(evaljob, "status", "selector");
    if (!selector.empty()) scale["status"]["selector"] = selector;
    return scale;
}

bool is_deletable(const Json& object) {
    const auto& meta = object.at("metadata");
    return meta.contains("deletionTimestamp") && meta.value("deletionGracePeriodSeconds", 0) == 0 &&
           meta.value("finalizers", Json::array()).empty();
}

}  // namespace evaljob::local
