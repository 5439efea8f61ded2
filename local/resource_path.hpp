// What a request's path addresses. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operator/kube/request.hpp"

namespace evaljob::local {

enum class Subresource { None, Status, Scale };

struct ResourcePath {
    kube::Resource resource;
    std::string ns;    // empty: all namespaces (collections only)
    std::string name;  // empty: the collection
    Subresource subresource = Subresource::None;
};

/// Nothing when the path names no resource that is served: the real API server's plain 404.
std::optional<ResourcePath> parse_resource_path(std::string_view path);

const std::vector<const kube::Resource*>& served_resources();

bool has_status(const kube::Resource& resource);

}  // namespace evaljob::local
