// The small change of the Kubernetes API: metav1.Status bodies, timestamps, and JSON that survives any bytes. Pure.
#pragma once

#include <cstdint>
#include <string>

#include <tl/expected.hpp>

#include "api/json.hpp"
#include "operator/kube/request.hpp"

namespace evaljob::local {

/// Why a request is refused: what becomes a metav1.Status of status "Failure".
struct Refusal {
    int code = 0;         // HTTP
    std::string reason;   // "NotFound", "Conflict", …
    std::string message;  // for a person
};

template <class T>
using Answer = tl::expected<T, Refusal>;

tl::unexpected<Refusal> refuse(int code, std::string reason, std::string message);
tl::unexpected<Refusal> not_found(const kube::Resource& resource, const std::string& name);
tl::unexpected<Refusal> conflict(const kube::Resource& resource, const std::string& name, const std::string& why);
tl::unexpected<Refusal> invalid(const kube::Resource& resource, const std::string& name, const std::string& why);

Json failure_status(const Refusal& refusal);
kube::Response failure_response(const Refusal& refusal);

/// "pods", "evaljobs.evaljob.dev": how messages of the API server and the store name a resource.
std::string qualified(const kube::Resource& resource);
/// "v1", "batch/v1"
std::string api_version_of(const kube::Resource& resource);

/// RFC 3339, UTC, whole seconds: "2026-01-02T03:04:05Z".
std::string rfc3339(std::int64_t unix_seconds);

/// dump() that replaces invalid UTF-8 instead of throwing.
std::string to_text(const Json& value);
/// The same text with every byte that is no UTF-8 replaced.
std::string valid_utf8(const std::string& text);

/// object[first][second] as a string, or "" where there is none.
std::string string_at(const Json& object, const char* first, const char* second);

}  // namespace evaljob::local
