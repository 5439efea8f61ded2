// What a cluster serves, from the answers to /apis and /apis/GROUP/VERSION. Pure.
#pragma once

#include <set>
#include <string>

#include "api/json.hpp"

namespace evaljob::kube {

/// Groups ("batch") and their versions ("batch/v1").
std::set<std::string> groups_and_versions(const Json& group_list);

/// Whether a version's list of resources has this one.
bool serves(const Json& resource_list, const std::string& plural);

}  // namespace evaljob::kube
