// A request to the API server in memory, parsed.
#pragma once

#include <optional>

#include "local/memory_api.hpp"

namespace evaljob::local {

struct MemoryApi::Call {
    const kube::Request& request;
    ResourcePath path;
    ObjectKey key;
};

struct DeleteOptions {
    std::optional<int> grace_seconds;
    Json preconditions = Json::object();  // uid, resourceVersion
};

/// From the query and the body; 422 for a propagation policy that is not served.
Answer<DeleteOptions> read_delete_options(const kube::Request& request);

/// "/api/v1/namespaces/NS/pods/NAME"
std::string path_of(const ObjectKey& key);

}  // namespace evaljob::local
