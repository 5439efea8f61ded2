// What service accounts have asked of the shared control plane, as its audit log has it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "api/json.hpp"

namespace evaljob::test {

/// "create pods", "patch evaljob.dev evaljobs/status": a verb and what it is done to.
using Right = std::string;

struct Asked {
    Right right;
    std::string ns;
    int status = 0;  // HTTP
    std::string line;
};

/// From `first` on; in the order of their answers.
std::vector<Asked> asked_by(const std::string& user, std::size_t first = 0);

/// Of a Role or ClusterRole.
std::set<Right> rights_of(const Json& role);

}  // namespace evaljob::test
