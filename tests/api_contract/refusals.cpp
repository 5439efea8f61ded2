// Requests that are refused, each with its Status.
#include <gmock/gmock.h>

#include "tests/api_contract/contract.hpp"

namespace evaljob::test {
namespace {

using kube::Verb;
using testing::HasSubstr;

struct Refused {
    std::string name;
    Verb verb;
    std::string path;  // "{pods}" and "{evaljobs}" stand for the collections
    Json body;         // a string is sent as it is
    int status;
    std::string reason;
    std::string message;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
    return text;
}

void refuses(Contract& api, const Refused& row) {
    ASSERT_EQ(api.post(api.pods(), a_pod("p")).status, 201);
    ASSERT_EQ(api.post(api.evaljobs(), an_evaljob("e")).status, 201);
    const auto path = replaced(replaced(row.path, "{pods}", api.pods()), "{evaljobs}", api.evaljobs());
    const auto type = row.verb == Verb::Patch ? "application/merge-patch+json" : "application/json";
    const auto body = row.body.is_string() ? row.body.get<std::string>() : row.body.is_null() ? "" : row.body.dump();
    const auto reply = api.call(row.verb, path, body, {}, type);
    EXPECT_EQ(reply.status, row.status) << reply.message();
    EXPECT_EQ(reply.reason(), row.reason);
    EXPECT_THAT(reply.message(), HasSubstr(row.message));
    EXPECT_EQ(reply.body.at("kind"), "Status");
    EXPECT_EQ(reply.body.value("code", 0), row.status);
}

std::vector<Refused> table() {
    const Json uid_u = {{"kind", "DeleteOptions"}, {"apiVersion", "v1"}, {"preconditions", {{"uid", "u"}}}};
    const auto pod_with = [](const char* field, const Json& value) {
        return a_pod("q", {{"metadata", {{field, value}}}});
    };
    Json nameless = a_pod("");
    nameless["metadata"].erase("name");
    return {
        {"NotFound", Verb::Get, "{pods}/x", {}, 404, "NotFound", "pods \"x\" not found"},
        {"NotFoundGroup", Verb::Get, "{evaljobs}/x", {}, 404, "NotFound", "evaljobs.evaljob.dev \"x\""},
        {"UnknownKind", Verb::Get, "/api/v1/namespaces/default/nothings", {}, 404, "NotFound", "could not find"},
        {"UnknownSubresource", Verb::Get, "{evaljobs}/e/nothing", {}, 404, "NotFound", "not"},
        {"PatchNotFound", Verb::Patch, "{pods}/x", Json::object(), 404, "NotFound", "\"x\""},
        {"PutNotFound", Verb::Put, "{pods}/x", a_pod("x"), 404, "NotFound", "\"x\""},
        {"DeleteNotFound", Verb::Delete, "{pods}/x", {}, 404, "NotFound", "\"x\""},
        {"AlreadyExists", Verb::Post, "{pods}", a_pod("p"), 409, "AlreadyExists", "pods \"p\" already exists"},
        {"NoName", Verb::Post, "{pods}", nameless, 422, "Invalid", "metadata.name"},
        {"BadName", Verb::Post, "{pods}", a_pod("A_b"), 422, "Invalid", "Pod \"A_b\" is invalid"},
        {"NoJson", Verb::Post, "{pods}", "{", 400, "BadRequest", "JSON"},
        {"OtherKind", Verb::Post, "{pods}", {{"apiVersion", "v1"}, {"kind", "Job"}}, 400, "BadRequest", "kind"},
        {"OtherNamespace", Verb::Post, "{pods}", pod_with("namespace", "n"), 400, "BadRequest", "namespace"},
        {"LabelsOfNumbers", Verb::Post, "{pods}", pod_with("labels", {{"a", 1}}), 400, "BadRequest", "labels"},
        {"OwnerWithoutUid",
         Verb::Patch,
         "{pods}/p",
         {{"metadata", {{"ownerReferences", Json::array({{{"apiVersion", "v1"}, {"kind", "A"}, {"name", "a"}}})}}}},
         422,
         "Invalid",
         "ownerReferences"},
        {"PostToObject", Verb::Post, "{pods}/p", a_pod("p"), 405, "MethodNotAllowed", "method"},
        {"StaleVersion",
         Verb::Patch,
         "{pods}/p",
         {{"metadata", {{"resourceVersion", "1"}}}},
         409,
         "Conflict",
         "has been modified"},
        {"OtherUid", Verb::Delete, "{pods}/p", uid_u, 409, "Conflict", "UID in"},
        {"OtherUidInPatch", Verb::Patch, "{pods}/p", {{"metadata", {{"uid", "u"}}}}, 422, "Invalid", "uid"},
        {"Rename", Verb::Patch, "{pods}/p", {{"metadata", {{"name", "q"}}}}, 400, "BadRequest", "name"},
        {"PodSpec", Verb::Patch, "{pods}/p", {{"spec", {{"hostname", "i"}}}}, 422, "Invalid", "spec"},
        {"PutWithoutVersion", Verb::Put, "{evaljobs}/e", an_evaljob("e"), 422, "Invalid", "must be specified"},
        {"TooLarge", Verb::Post, "{pods}", std::string((3U << 20U) + 1, ' '), 413, "RequestEntityTooLarge", "3145728"},
    };
}

}  // namespace

std::vector<ContractRow> contract_rows_of_refusals() {
    std::vector<ContractRow> rows;
    for (const Refused& row : table())
        rows.push_back({"Refused" + row.name, [row](Contract& api) { refuses(api, row); }});
    return rows;
}

}  // namespace evaljob::test
