// Requests to a Kubernetes API server as values. Whoever sends them (cpprestsdk, or the API server in memory) is behind
// Transport; who builds them cannot tell.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "api/json.hpp"
#include "api/result.hpp"

namespace evaljob::kube {

enum class Verb { Get, Post, Put, Patch, Delete };

const char* method_of(Verb verb);  // "GET", …

struct Request {
    Verb verb = Verb::Get;
    std::string path;                          // "/api/v1/namespaces/default/pods/x"
    std::map<std::string, std::string> query;  // not yet percent-encoded
    std::string content_type;                  // of the body: application/json or application/merge-patch+json
    std::string body;
};

struct Response {
    int status = 0;  // HTTP
    std::string body;
    int retry_after_seconds = 0;  // as the header of this name says; 0: there is none
};

/// A kind's place in the API: group "" is the core group.
struct Resource {
    std::string group;
    std::string version;
    std::string plural;
    std::string kind;
};

inline const Resource evaljobs{"evaljob.dev", "v1alpha1", "evaljobs", "EvalJob"};
inline const Resource pods{"", "v1", "pods", "Pod"};
inline const Resource services{"", "v1", "services", "Service"};
inline const Resource secrets{"", "v1", "secrets", "Secret"};
inline const Resource claims{"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"};
inline const Resource jobs{"batch", "v1", "jobs", "Job"};
inline const Resource leases{"coordination.k8s.io", "v1", "leases", "Lease"};
inline const Resource events{"events.k8s.io", "v1", "events", "Event"};

std::string collection_path(const Resource& resource, const std::string& ns);  // ns empty: all namespaces
std::string object_path(const Resource& resource, const std::string& ns, const std::string& name);

/// A path that is no object's: /apis, and below it.
Request get(const std::string& path);
Request list(const Resource& resource, const std::string& ns, const std::string& label_selector);
Request watch(const Resource& resource, const std::string& ns, const std::string& label_selector,
              const std::string& resource_version);
Request get(const Resource& resource, const std::string& ns, const std::string& name);
Request create(const Resource& resource, const std::string& ns, const Json& object);
/// The whole object; fails with Conflict when it changed since its metadata.resourceVersion.
Request replace(const Resource& resource, const std::string& ns, const std::string& name, const Json& object);
/// Only if the object still has this uid, so that a namesake made meanwhile is safe. grace_seconds < 0: the object's
/// own.
Request remove(const Resource& resource, const std::string& ns, const std::string& name, const std::string& uid,
               int grace_seconds);
/// A merge patch of the status subresource that fails with Conflict when the object changed since `resource_version`.
Request patch_status(const Resource& resource, const std::string& ns, const std::string& name,
                     const std::string& resource_version, const Json& status);

/// A response's body as JSON, or the metav1.Status of a failure as an Error: its reason ("NotFound", "AlreadyExists",
/// "Conflict", "Invalid", "Expired", "TooManyRequests", …), message, and whether to retry (409 Conflict, 429, 5xx).
Result<Json> read_response(const Response& response);

}  // namespace evaljob::kube
