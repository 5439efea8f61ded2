// The volume's claim on a real API server, with its defaults, its validation and its garbage collection.
#include "api/json_read.hpp"
#include "tests/api_server/life.hpp"

namespace evaljob::test {
namespace {

class ClaimsOnApiServer : public Life {
protected:
    static Json claim_spec(const char* mode) {
        return {{"accessModes", {mode}}, {"resources", {{"requests", {{"storage", "1Gi"}}}}}};
    }
    static void create(const std::string& name, int nodes, const Json& storage) {
        Json job = fashion_job(name, nodes);
        job["spec"]["storage"] = storage;
        must(kube::create(kube::evaljobs, ns, job));
    }
    static bool has_claim(const std::string& name) {
        return ControlPlane::shared().send(kube::get(kube::claims, ns, name)).has_value();
    }
    static std::string reason(const std::string& name, const char* type) {
        return text_of(condition(name, type), "reason");
    }
    static void remove(const std::string& name) {
        must(kube::remove(kube::evaljobs, ns, name, "", -1));
        await_pods(name, 0);
    }
};

TEST_F(ClaimsOnApiServer, AreMadeAndKeptAndUsedAgain) {
    const Json storage = {{"claimTemplate", {{"spec", claim_spec("ReadWriteMany")}}}};
    create("keeps", 2, storage);
    await_pods("keeps", 2);
    const Json claim = must(kube::get(kube::claims, ns, "keeps-claim"));
    EXPECT_FALSE(claim.at("metadata").contains("ownerReferences"));
    const Json pod = pod_named("keeps-0-0");
    EXPECT_NE(pod.at("spec").at("volumes").dump().find("keeps-claim"), std::string::npos);
    remove("keeps");
    create("keeps", 2, storage);
    await_pods("keeps", 2);
    EXPECT_EQ(must(kube::get(kube::claims, ns, "keeps-claim")).at("metadata").at("uid"),
              claim.at("metadata").at("uid"));
    remove("keeps");
}

TEST_F(ClaimsOnApiServer, GoWithTheJobWherePolicySaysSo) {
    create("drops", 1, {{"claimTemplate", {{"spec", claim_spec("ReadWriteOnce")}}}, {"retentionPolicy", "Delete"}});
    await_pods("drops", 1);
    ASSERT_TRUE(has_claim("drops-claim"));
    remove("drops");
    await("its claim is gone", [] { return !has_claim("drops-claim"); });
}

TEST_F(ClaimsOnApiServer, AreAwaitedWhereTheyAreNamedAndNotThere) {
    create("waits", 1, {{"claimName", "late"}});
    await("it says what it waits for", [] { return reason("waits", "Running") == "ClaimNotFound"; });
    must(kube::create(kube::claims, ns, {{"metadata", {{"name", "late"}}}, {"spec", claim_spec("ReadWriteOnce")}}));
    await_pods("waits", 1);
    remove("waits");
}

TEST_F(ClaimsOnApiServer, OfOneWriterAreRefusedForManyNodes) {
    must(kube::create(kube::claims, ns, {{"metadata", {{"name", "narrow"}}}, {"spec", claim_spec("ReadWriteOnce")}}));
    create("refused", 2, {{"claimName", "narrow"}});
    await_condition("refused", "Failed");
    EXPECT_EQ(reason("refused", "Failed"), "ClaimUnusable");
    EXPECT_TRUE(pods_of("refused").empty());
}

TEST_F(ClaimsOnApiServer, AGangWhoseApiIsMissingIsSaid) {
    Json job = fashion_job("gang", 2);
    job["spec"]["scheduling"] = {{"gang", "Volcano"}};
    must(kube::create(kube::evaljobs, ns, job));
    await("it says what is missing", [] { return reason("gang", "Scheduled") == "GangUnavailable"; });
    EXPECT_TRUE(pods_of("gang").empty());
    must(kube::remove(kube::evaljobs, ns, "gang", "", -1));
}

}  // namespace
}  // namespace evaljob::test
