#include "local/memory_api.hpp"

#include <gmock/gmock.h>

#include "tests/unit/local/memory_api_fixture.hpp"

namespace evaljob::local {
namespace {

using testing::HasSubstr;

TEST_F(MemoryApiTest, CreationFillsInWhatTheServerKeeps) {
    const auto made = client.post(evaljobs_path, named("a", {{"spec", {{"numNodes", 2}}}, {"status", {{"x", 1}}}}));
    EXPECT_EQ(made.status, 201);
    const auto& meta = made.body.at("metadata");
    EXPECT_EQ(meta.at("generation"), 1);
    EXPECT_EQ(meta.at("creationTimestamp"), "2023-11-14T22:13:20Z");
    EXPECT_EQ(meta.at("namespace"), "default");
    EXPECT_EQ(meta.at("uid").get<std::string>().size(), 36u);
    EXPECT_EQ(made.body.at("kind"), "EvalJob");
    EXPECT_EQ(made.body.at("apiVersion"), "evaljob.dev/v1alpha1");
    EXPECT_FALSE(made.body.contains("status")) << "the status is written through its subresource alone";
    EXPECT_EQ(client.post(pods_path, named("p")).body.at("status").at("phase"), "Pending");
}

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

TEST_F(MemoryApiTest, GenerateNameMakesDifferentNames) {
    const Json object{{"metadata", {{"generateName", "p-"}}}};
    const auto first = client.post(pods_path, object).body.at("metadata").at("name").get<std::string>();
    const auto second = client.post(pods_path, object).body.at("metadata").at("name").get<std::string>();
    EXPECT_EQ(first.size(), 7u);
    EXPECT_NE(first, second);
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
    testing::Values(
        Refused{"NotFound", Verb::Get, pods_path + "/x", "", 404, "NotFound", "pods \"x\" not found"},
        Refused{"NotFoundGroup", Verb::Get, evaljobs_path + "/x", "", 404, "NotFound", "evaljobs.evaljob.dev \"x\""},
        Refused{"UnknownKind", Verb::Get, "/api/v1/namespaces/default/nodes", "", 404, "NotFound", "nodes"},
        Refused{"UnknownSubresource", Verb::Get, pods_path + "/p/log", "", 404, "NotFound", "log"},
        Refused{"PatchNotFound", Verb::Patch, pods_path + "/x", "{}", 404, "NotFound", "\"x\""},
        Refused{"PutNotFound", Verb::Put, pods_path + "/x", "{}", 404, "NotFound", "\"x\""},
        Refused{"DeleteNotFound", Verb::Delete, pods_path + "/x", "", 404, "NotFound", "\"x\""},
        Refused{"AlreadyExists", Verb::Post, pods_path, named("p").dump(), 409, "AlreadyExists", "pods \"p\" already"},
        Refused{"NoName", Verb::Post, pods_path, "{}", 422, "Invalid", "metadata.name"},
        Refused{"BadName", Verb::Post, pods_path, named("A_b").dump(), 422, "Invalid", "Pod \"A_b\" is invalid"},
        Refused{"NoJson", Verb::Post, pods_path, "{", 400, "BadRequest", "JSON"},
        Refused{"OtherKind", Verb::Post, pods_path, named("q", {{"kind", "Job"}}).dump(), 400, "BadRequest", "kind"},
        Refused{"OtherNamespace", Verb::Post, pods_path, R"({"metadata":{"name":"q","namespace":"n"}})", 400,
                "BadRequest", "metadata.namespace"},
        Refused{"VersionOnCreate", Verb::Post, pods_path, R"({"metadata":{"name":"q","resourceVersion":"3"}})", 400,
                "BadRequest", "metadata.resourceVersion"},
        Refused{"LabelsOfNumbers", Verb::Post, pods_path, R"({"metadata":{"name":"q","labels":{"a":1}}})", 400,
                "BadRequest", "metadata.labels"},
        Refused{"OwnerWithoutUid", Verb::Patch, pods_path + "/p", R"({"metadata":{"ownerReferences":[{}]}})", 422,
                "Invalid", "ownerReferences"},
        Refused{"PostToObject", Verb::Post, pods_path + "/p", "{}", 405, "MethodNotAllowed", "method"},
        Refused{"DeleteCollection", Verb::Delete, pods_path, "", 405, "MethodNotAllowed", "method"},
        Refused{"StaleVersion", Verb::Patch, pods_path + "/p", R"({"metadata":{"resourceVersion":"1"}})", 409,
                "Conflict", "has been modified"},
        Refused{"OtherUid", Verb::Delete, pods_path + "/p", R"({"preconditions":{"uid":"u"}})", 409, "Conflict",
                "UID in precondition: u"},
        Refused{"OtherUidInPatch", Verb::Patch, pods_path + "/p", R"({"metadata":{"uid":"u"}})", 409, "Conflict",
                "UID"},
        Refused{"Rename", Verb::Patch, pods_path + "/p", R"({"metadata":{"name":"q"}})", 400, "BadRequest", "name"},
        Refused{"PodSpec", Verb::Patch, pods_path + "/p", R"({"spec":{"hostname":"i"}})", 422, "Invalid", "immutable"},
        Refused{"PutWithoutVersion", Verb::Put, evaljobs_path + "/e", "{}", 422, "Invalid", "must be specified"},
        Refused{"Foreground", Verb::Delete, pods_path + "/p", R"({"propagationPolicy":"Foreground"})", 422, "Invalid",
                "Background alone"},
        Refused{"NegativeGrace", Verb::Delete, pods_path + "/p", R"({"gracePeriodSeconds":-1})", 422, "Invalid",
                "gracePeriodSeconds"},
        Refused{"ScaleToText", Verb::Patch, evaljobs_path + "/e/scale", R"({"spec":{"replicas":"3"}})", 422, "Invalid",
                "spec.replicas"},
        Refused{"TooLarge", Verb::Post, pods_path, std::string((3u << 20) + 1, ' '), 413, "RequestEntityTooLarge",
                "3 MiB"}),
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

TEST_F(MemoryApiTest, GenerationRisesWithTheSpecAlone) {
    client.post(evaljobs_path, named("e", {{"spec", {{"numNodes", 1}}}}));
    const auto generation = [&](const Reply& reply) { return reply.body.at("metadata").at("generation").get<int>(); };
    EXPECT_EQ(generation(client.patch(evaljobs_path + "/e", {{"metadata", {{"labels", {{"a", "b"}}}}}})), 1);
    EXPECT_EQ(generation(client.patch(evaljobs_path + "/e/status", {{"status", {{"attempt", 1}}}})), 1);
    EXPECT_EQ(generation(client.patch(evaljobs_path + "/e", {{"spec", {{"numNodes", 2}}}})), 2);
}

TEST_F(MemoryApiTest, StatusAndTheRestAreWrittenApart) {
    client.post(evaljobs_path, named("e", {{"spec", {{"numNodes", 1}}}}));
    const Json both{
        {"spec", {{"numNodes", 5}}}, {"status", {{"attempt", 9}}}, {"metadata", {{"labels", {{"a", "b"}}}}}};
    auto after = client.patch(evaljobs_path + "/e/status", both).body;
    EXPECT_EQ(after.at("status").at("attempt"), 9);
    EXPECT_EQ(after.at("spec").at("numNodes"), 1);
    EXPECT_FALSE(after.at("metadata").contains("labels"));
    after = client.patch(evaljobs_path + "/e", {{"spec", {{"numNodes", 5}}}, {"status", {{"attempt", 10}}}}).body;
    EXPECT_EQ(after.at("status").at("attempt"), 9);
    EXPECT_EQ(after.at("spec").at("numNodes"), 5);
    EXPECT_EQ(client.get(evaljobs_path + "/e/status").body, after);
    after["status"] = {{"attempt", 11}};
    EXPECT_EQ(client.put(evaljobs_path + "/e", after).body.at("status").at("attempt"), 9);
    after = client.get(evaljobs_path + "/e").body;
    after["status"] = {{"attempt", 12}};
    EXPECT_EQ(client.put(evaljobs_path + "/e/status", after).body.at("status").at("attempt"), 12);
}

TEST_F(MemoryApiTest, WritesCannotChangeWhatTheServerKeeps) {
    const auto made = client.post(evaljobs_path, named("e")).body;
    auto changed = made;
    changed["metadata"]["creationTimestamp"] = "1999-01-01T00:00:00Z";
    changed["metadata"]["generation"] = 77;
    changed["metadata"]["deletionTimestamp"] = "1999-01-01T00:00:00Z";
    EXPECT_EQ(client.put(evaljobs_path + "/e", changed).body, made);
}

TEST_F(MemoryApiTest, AWriteThatChangesNothingIsNoEvent) {
    const auto made = client.post(pods_path, named("p"));
    const auto again = client.patch(pods_path + "/p/status", {{"status", {{"phase", "Pending"}}}});
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(again.version(), made.version());
}

TEST_F(MemoryApiTest, OptimisticConcurrency) {
    const auto made = client.post(evaljobs_path, named("e"));
    const Json patch{{"metadata", {{"resourceVersion", made.version()}}}, {"status", {{"attempt", 1}}}};
    EXPECT_EQ(client.patch(evaljobs_path + "/e/status", patch).status, 200);
    const auto late = client.patch(evaljobs_path + "/e/status", patch);
    EXPECT_EQ(late.status, 409);
    EXPECT_EQ(late.reason(), "Conflict");
    EXPECT_EQ(client.put(evaljobs_path + "/e", made.body).status, 409);
}

TEST_F(MemoryApiTest, ScaleIsTheNumberOfNodes) {
    client.post(evaljobs_path, named("e", {{"spec", {{"numNodes", 2}}}}));
    client.patch(evaljobs_path + "/e/status", {{"status", {{"nodes", {{"total", 2}}}, {"selector", "a=b"}}}});
    auto scale = client.get(evaljobs_path + "/e/scale").body;
    EXPECT_EQ(scale.at("kind"), "Scale");
    EXPECT_EQ(scale.at("spec").at("replicas"), 2);
    EXPECT_EQ(scale.at("status"), (Json{{"replicas", 2}, {"selector", "a=b"}}));
    scale["spec"]["replicas"] = 4;
    EXPECT_EQ(client.put(evaljobs_path + "/e/scale", scale).body.at("spec").at("replicas"), 4);
    EXPECT_EQ(client.put(evaljobs_path + "/e/scale", scale).status, 409) << "its resourceVersion is the EvalJob's";
    EXPECT_EQ(client.patch(evaljobs_path + "/e/scale", {{"spec", {{"replicas", 3}}}}).status, 200);
    const auto after = client.get(evaljobs_path + "/e").body;
    EXPECT_EQ(after.at("spec").at("numNodes"), 3);
    EXPECT_EQ(after.at("metadata").at("generation"), 3);
}

TEST_F(MemoryApiTest, SecretsAreEncoded) {
    client.post(secrets_path, named("s", {{"stringData", {{"token", "hello"}}}}));
    const auto secret = client.get(secrets_path + "/s").body;
    EXPECT_EQ(secret.at("data").at("token"), "aGVsbG8=");
    EXPECT_FALSE(secret.contains("stringData"));
}

// ---- lists

TEST_F(MemoryApiTest, ListsSelectByLabelAndNamespace) {
    client.post(pods_path, named("a", {{"metadata", {{"labels", {{"job", "x"}, {"role", "node"}}}}}}));
    client.post(pods_path, named("b", {{"metadata", {{"labels", {{"job", "y"}}}}}}));
    client.post("/api/v1/namespaces/other/pods", named("c", {{"metadata", {{"labels", {{"job", "x"}}}}}}));
    const auto names = [&](const std::string& path, const std::string& selector) {
        std::string joined;
        const auto reply = client.get(path, {{"labelSelector", selector}});
        for (const auto& item : reply.body.at("items")) joined += item.at("metadata").at("name").get<std::string>();
        return joined;
    };
    EXPECT_EQ(names(pods_path, ""), "ab");
    EXPECT_EQ(names("/api/v1/pods", ""), "abc");
    EXPECT_EQ(names("/api/v1/pods", "job=x"), "ac");
    EXPECT_EQ(names("/api/v1/pods", "job==x,role=node"), "a");
    EXPECT_EQ(names("/api/v1/pods", "job!=x"), "b");
    EXPECT_EQ(names("/api/v1/pods", "role"), "a");
    EXPECT_EQ(names("/api/v1/pods", "!role"), "bc");
    EXPECT_EQ(client.get(pods_path, {{"labelSelector", "job in (x)"}}).status, 400);
    EXPECT_EQ(client.get(pods_path, {{"fieldSelector", "a=b"}}).status, 400);
}

TEST_F(MemoryApiTest, PagesAreOfOneVersion) {
    for (const auto* name : {"a", "b", "c"}) client.post(pods_path, named(name));
    const auto first = client.get(pods_path, {{"limit", "2"}});
    ASSERT_EQ(first.body.at("items").size(), 2u);
    client.remove(pods_path + "/c", {{"gracePeriodSeconds", 0}});
    client.post(pods_path, named("d"));
    const auto token = first.body.at("metadata").at("continue").get<std::string>();
    const auto second = client.get(pods_path, {{"limit", "2"}, {"continue", token}});
    ASSERT_EQ(second.body.at("items").size(), 1u);
    EXPECT_EQ(second.body.at("items")[0].at("metadata").at("name"), "c");
    EXPECT_EQ(second.version(), first.version());
    EXPECT_FALSE(second.body.at("metadata").contains("continue"));
    for (int i = 0; i < 12; ++i) client.post(pods_path, named("more-" + std::to_string(i)));
    const auto late = client.get(pods_path, {{"limit", "2"}, {"continue", token}});
    EXPECT_EQ(late.status, 410);
    EXPECT_EQ(late.reason(), "Expired");
    EXPECT_EQ(client.get(pods_path, {{"continue", "nonsense"}}).status, 400);
}

// ---- deletion

TEST_F(MemoryApiTest, APodStaysUntilItsKubeletLetsGo) {
    client.post(pods_path, named("p", {{"spec", {{"terminationGracePeriodSeconds", 7}}}}));
    EXPECT_EQ(client.remove(pods_path + "/p").status, 200);
    const auto meta = client.get(pods_path + "/p").body.at("metadata");
    EXPECT_EQ(meta.at("deletionGracePeriodSeconds"), 7);
    EXPECT_EQ(meta.at("deletionTimestamp"), "2023-11-14T22:13:27Z");
    client.remove(pods_path + "/p", {{"gracePeriodSeconds", 9}});
    EXPECT_EQ(client.get(pods_path + "/p").body.at("metadata"), meta) << "a grace period is never made longer";
    client.remove(pods_path + "/p", {{"gracePeriodSeconds", 2}});
    EXPECT_EQ(client.get(pods_path + "/p").body.at("metadata").at("deletionGracePeriodSeconds"), 2);
    client.remove(pods_path + "/p", {{"gracePeriodSeconds", 0}});
    EXPECT_EQ(client.get(pods_path + "/p").status, 404);
}

TEST_F(MemoryApiTest, EndedPodsAndOtherKindsGoAtOnce) {
    client.post(pods_path, named("p"));
    client.patch(pods_path + "/p/status", {{"status", {{"phase", "Failed"}}}});
    client.remove(pods_path + "/p");
    EXPECT_EQ(client.get(pods_path + "/p").status, 404);
    client.post(secrets_path, named("s"));
    client.remove(secrets_path + "/s");
    EXPECT_EQ(client.get(secrets_path + "/s").status, 404);
}

TEST_F(MemoryApiTest, FinalizersHoldADeletedObject) {
    client.post(evaljobs_path, named("e", {{"metadata", {{"finalizers", {"f"}}}}}));
    client.remove(evaljobs_path + "/e");
    EXPECT_TRUE(client.get(evaljobs_path + "/e").body.at("metadata").contains("deletionTimestamp"));
    client.patch(evaljobs_path + "/e", {{"metadata", {{"finalizers", nullptr}}}});
    EXPECT_EQ(client.get(evaljobs_path + "/e").status, 404);
}

TEST_F(MemoryApiTest, WhatIsOwnedGoesWithItsOwner) {
    client.post(evaljobs_path, named("e"));
    client.post(jobs_path, owned("j", uid_of(evaljobs_path + "/e")));
    client.post(secrets_path, owned("s", uid_of(jobs_path + "/j")));
    client.post(pods_path, owned("p", uid_of(evaljobs_path + "/e")));
    client.post(secrets_path, named("free"));
    client.remove(evaljobs_path + "/e");
    EXPECT_EQ(client.get(jobs_path + "/j").status, 404);
    EXPECT_EQ(client.get(secrets_path + "/s").status, 404) << "owned by what was owned";
    EXPECT_EQ(client.get(secrets_path + "/free").status, 200);
    EXPECT_TRUE(client.get(pods_path + "/p").body.at("metadata").contains("deletionTimestamp")) << "gracefully";
}

TEST_F(MemoryApiTest, AnOrphanIsCollectedWhenItComes) {
    EXPECT_EQ(client.post(secrets_path, owned("s", "gone")).status, 201);
    EXPECT_EQ(client.get(secrets_path + "/s").status, 404);
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
