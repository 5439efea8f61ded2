#include "operator/kube/discovery.hpp"

#include "api/json_read.hpp"

namespace evaljob::kube {

std::set<std::string> groups_and_versions(const Json& group_list) {
    std::set<std::string> all;
    for (const Json& group : member(group_list, "groups")) {
        all.insert(text_of(group, "name"));
        for (const Json& version : member(group, "versions")) all.insert(text_of(version, "groupVersion"));
    }
    all.erase("");
    return all;
}

bool serves(const Json& resource_list, const std::string& plural) {
    for (const Json& resource : member(resource_list, "resources"))
        if (text_of(resource, "name") == plural) return true;
    return false;
}

}  // namespace evaljob::kube
