// What the API server in memory has of its own; what it shares with a real one is in tests/api_contract.
#include "local/memory_api.hpp"

#include <gmock/gmock.h>

#include "tests/unit/local/memory_api_fixture.hpp"

namespace evaljob::local {
namespace {

using testing::HasSubstr;

TEST_F(MemoryApiTest, UidsDifferAndRepeatForASeed) {
    MemoryApi twin{options()};
    MemoryApiOptions other = options();
    other.uid_seed = 7;
    MemoryApi stranger{other};
    const auto uid = [](MemoryApi& server, const char* name) {
        return ApiClient(server).post(pods_path, named(name)).body.at("metadata").at("uid").get<std::string>();
    };
    const auto a = uid(api, "a");
    EXPECT_EQ(a, uid(twin, "a"));
    EXPECT_NE(a, uid(api, "b"));
    EXPECT_NE(a, uid(stranger, "a"));
}

struct Refused {
    const char* name;
    kube::Verb verb;
    std::string path;
    std::string body;
    int status;
    const char* reason;
    const char* message;
};

std::ostream& operator<<(std::ostream& out, const Refused& row) { return out << row.name; }

class RefusedTest : public MemoryApiTest, public testing::WithParamInterface<Refused> {};

TEST_P(RefusedTest, AsAStatus) {
    client.post(pods_path, named("p", {{"spec", {{"hostname", "h"}}}}));
    client.post(evaljobs_path, named("e", {{"spec", {{"numNodes", 1}}}}));
    const auto& row = GetParam();
    const auto type = row.verb == kube::Verb::Patch ? "application/merge-patch+json" : "application/json";
    const auto reply = client.call(row.verb, row.path, row.body, {}, type);
    EXPECT_EQ(reply.status, row.status);
    EXPECT_EQ(reply.reason(), row.reason);
    EXPECT_THAT(reply.message(), HasSubstr(row.message));
    EXPECT_EQ(reply.body.at("kind"), "Status");
    EXPECT_EQ(reply.body.at("code"), row.status);
}

using kube::Verb;
INSTANTIATE_TEST_SUITE_P(
    Rows, RefusedTest,
    testing::Values(Refused{"VersionOnCreate", Verb::Post, pods_path,
                            R"({"metadata":{"name":"q","resourceVersion":"3"}})", 400, "BadRequest",
                            "metadata.resourceVersion"},
                    Refused{"DeleteCollection", Verb::Delete, pods_path, "", 405, "MethodNotAllowed", "method"},
                    Refused{"Foreground", Verb::Delete, pods_path + "/p", R"({"propagationPolicy":"Foreground"})", 422,
                            "Invalid", "Background alone"},
                    Refused{"NegativeGrace", Verb::Delete, pods_path + "/p", R"({"gracePeriodSeconds":-1})", 422,
                            "Invalid", "gracePeriodSeconds"},
                    Refused{"ScaleToText", Verb::Patch, evaljobs_path + "/e/scale", R"({"spec":{"replicas":"3"}})", 422,
                            "Invalid", "spec.replicas"}),
    [](const auto& row) { return row.param.name; });

TEST_F(MemoryApiTest, OtherPatchTypesAreRefused) {
    client.post(pods_path, named("p"));
    EXPECT_EQ(client.call(Verb::Patch, pods_path + "/p", "[]", {}, "application/json-patch+json").status, 415);
}

TEST_F(MemoryApiTest, AdmissionDefaultsAndRefuses) {
    api.admit(kube::evaljobs, [](const Json& object, const Json* old) -> Result<Json> {
        if (object.value(Json::json_pointer("/spec/numNodes"), 1) < 1)
            return fail("InvalidField", "spec.numNodes: is 0");
        Json defaulted = object;
        defaulted["spec"]["seen"] = old ? "update" : "create";
        return defaulted;
    });
    EXPECT_EQ(client.post(evaljobs_path, named("e")).body.at("spec").at("seen"), "create");
    const auto refused = client.patch(evaljobs_path + "/e", {{"spec", {{"numNodes", 0}}}});
    EXPECT_EQ(refused.status, 422);
    EXPECT_EQ(refused.message(), "EvalJob.evaljob.dev \"e\" is invalid: spec.numNodes: is 0");
    EXPECT_EQ(client.patch(evaljobs_path + "/e", {{"spec", {{"numNodes", 2}}}}).body.at("spec").at("seen"), "update");
    EXPECT_EQ(client.put(evaljobs_path + "/e/scale", {{"spec", {{"replicas", 0}}}}).status, 422);
}

TEST_F(MemoryApiTest, ListsRefuseWhatTheyDoNotKnow) {
    EXPECT_EQ(client.get(pods_path, {{"labelSelector", "job in (x)"}}).status, 400);
    EXPECT_EQ(client.get(pods_path, {{"fieldSelector", "a=b"}}).status, 400);
}

TEST_F(MemoryApiTest, APageThatComesTooLateExpires) {
    for (const auto* name : {"a", "b", "c"}) client.post(pods_path, named(name));
    const auto first = client.get(pods_path, {{"limit", "2"}});
    for (int i = 0; i < 12; ++i) client.post(pods_path, named("more-" + std::to_string(i)));
    const auto late = client.get(
        pods_path, {{"limit", "2"}, {"continue", first.body.at("metadata").at("continue").get<std::string>()}});
    EXPECT_EQ(late.status, 410);
    EXPECT_EQ(late.reason(), "Expired");
}

TEST(MemoryApiGarbage, IsAStepWhenAskedFor) {
    MemoryApiOptions options;
    options.automatic_garbage = false;
    MemoryApi api(options);
    ApiClient client(api);
    client.post(secrets_path, owned("s", "gone"));
    EXPECT_EQ(client.get(secrets_path + "/s").status, 200);
    EXPECT_EQ(api.collect_garbage(), 1);
    EXPECT_EQ(client.get(secrets_path + "/s").status, 404);
    EXPECT_EQ(api.collect_garbage(), 0);
}

}  // namespace
}  // namespace evaljob::local
