#include "tests/chart/audit.hpp"

#include <algorithm>
#include <fstream>

#include "api/json_read.hpp"
#include "tests/api_server/control_plane.hpp"

namespace evaljob::test {
namespace {

Right right(const std::string& verb, const std::string& group, const std::string& resource) {
    return verb + " " + (group.empty() ? "" : group + " ") + resource;
}

}  // namespace

std::vector<Asked> asked_by(const std::string& user, std::size_t first) {
    std::vector<Asked> asked;
    std::ifstream log(ControlPlane::shared().audit_log());
    for (std::string line; std::getline(log, line);) {
        const Json event = Json::parse(line, nullptr, false);
        if (text_of(member(event, "user"), "username") != user) continue;
        const Json& what = member(event, "objectRef");
        // A watch is told of when it begins and when it ends; discovery and the like have no object.
        if (what.is_null()) continue;
        const std::string sub = text_of(what, "subresource");
        asked.push_back({right(text_of(event, "verb"), text_of(what, "apiGroup"),
                               text_of(what, "resource") + (sub.empty() ? "" : "/" + sub)),
                         text_of(what, "namespace"),
                         static_cast<int>(number_of(member(event, "responseStatus"), "code")), line});
    }
    asked.erase(asked.begin(), asked.begin() + static_cast<std::ptrdiff_t>(std::min(first, asked.size())));
    return asked;
}

std::set<Right> rights_of(const Json& role) {
    std::set<Right> rights;
    for (const Json& rule : role.at("rules"))
        for (const Json& group : rule.at("apiGroups"))
            for (const Json& resource : rule.at("resources"))
                for (const Json& verb : rule.at("verbs"))
                    rights.insert(
                        right(verb.get<std::string>(), group.get<std::string>(), resource.get<std::string>()));
    return rights;
}

}  // namespace evaljob::test
