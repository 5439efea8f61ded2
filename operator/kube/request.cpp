#include "operator/kube/request.hpp"

#include "api/json_read.hpp"
#include "operator/kube/managed_fields.hpp"

namespace evaljob::kube {
namespace {

constexpr const char* json_type = "application/json";
constexpr const char* merge_patch_type = "application/merge-patch+json";
constexpr std::size_t most_message_bytes = 4096;

/// Bytes that are no UTF-8 (a termination message can hold any) are replaced, because a dump would throw.
std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string reason_of(int status) {
    switch (status) {
        case 400:
            return "BadRequest";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "NotFound";
        case 409:
            return "Conflict";
        case 410:
            return "Expired";
        case 422:
            return "Invalid";
        case 429:
            return "TooManyRequests";
        case 500:
            return "InternalError";
        case 503:
            return "ServiceUnavailable";
        case 504:
            return "Timeout";
        default:
            return "UnexpectedStatus";
    }
}

bool can_help(int status, const std::string& reason) { return reason == "Conflict" || status == 429 || status >= 500; }

}  // namespace

const char* method_of(Verb verb) {
    constexpr const char* methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    return methods[static_cast<int>(verb)];
}

std::string collection_path(const Resource& resource, const std::string& ns) {
    std::string path =
        resource.group.empty() ? "/api/" + resource.version : "/apis/" + resource.group + "/" + resource.version;
    if (!ns.empty()) path += "/namespaces/" + ns;
    return path + "/" + resource.plural;
}

std::string object_path(const Resource& resource, const std::string& ns, const std::string& name) {
    return collection_path(resource, ns) + "/" + name;
}

Request list(const Resource& resource, const std::string& ns, const std::string& label_selector) {
    Request request{Verb::Get, collection_path(resource, ns), {}, "", ""};
    if (!label_selector.empty()) request.query["labelSelector"] = label_selector;
    return request;
}

Request watch(const Resource& resource, const std::string& ns, const std::string& label_selector,
              const std::string& resource_version) {
    Request request = list(resource, ns, label_selector);
    request.query["watch"] = "true";
    request.query["allowWatchBookmarks"] = "true";
    request.query["resourceVersion"] = resource_version;
    return request;
}

Request get(const std::string& path) { return {Verb::Get, path, {}, "", ""}; }

Request get(const Resource& resource, const std::string& ns, const std::string& name) {
    return {Verb::Get, object_path(resource, ns, name), {}, "", ""};
}

Request create(const Resource& resource, const std::string& ns, const Json& object) {
    return {Verb::Post, collection_path(resource, ns), {}, json_type, dump(object)};
}

Request replace(const Resource& resource, const std::string& ns, const std::string& name, const Json& object) {
    return {Verb::Put, object_path(resource, ns, name), {}, json_type, dump(object)};
}

Request remove(const Resource& resource, const std::string& ns, const std::string& name, const std::string& uid,
               int grace_seconds) {
    Json options = {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Background"}};
    if (!uid.empty()) options["preconditions"] = {{"uid", uid}};
    if (grace_seconds >= 0) options["gracePeriodSeconds"] = grace_seconds;
    return {Verb::Delete, object_path(resource, ns, name), {}, json_type, dump(options)};
}

Request patch_status(const Resource& resource, const std::string& ns, const std::string& name,
                     const std::string& resource_version, const Json& status) {
    const Json body = {{"metadata", {{"resourceVersion", resource_version}}}, {"status", status}};
    return {Verb::Patch, object_path(resource, ns, name) + "/status", {}, merge_patch_type, dump(body)};
}

Result<Json> read_response(const Response& response) {
    Json body = Json::parse(without_managed_fields(response.body), nullptr, false);
    if (response.status >= 200 && response.status < 300) {
        if (body.is_object()) return body;
        return fail(
            "BadResponse",
            "the API server answered " + std::to_string(response.status) + " with a body that is no JSON object", true);
    }
    std::string reason = body.is_object() ? text_of(body, "reason") : "";
    if (reason.empty()) reason = reason_of(response.status);
    if (reason == "Gone") reason = "Expired";  // 410 has two names
    std::string message = body.is_object() ? text_of(body, "message") : response.body;
    if (message.empty()) message = "the API server answered " + std::to_string(response.status);
    const bool retry = can_help(response.status, reason);
    return fail(std::move(reason), message.substr(0, most_message_bytes), retry);
}

}  // namespace evaljob::kube
