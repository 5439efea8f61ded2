// F9, F10, F11 and F15 on a real API server: namesakes, credentials that change, what befalls Pods, and deletion.
#include <gtest/gtest.h>

#include <fstream>

#include "api/json_read.hpp"
#include "operator/cluster/access.hpp"
#include "operator/kube/views.hpp"
#include "operator/plan/time.hpp"
#include "tests/api_server/faulty_transport.hpp"
#include "tests/api_server/life.hpp"

namespace evaljob::test {
namespace {

kube::Request post(const std::string& path, const Json& body) {
    return {kube::Verb::Post, path, {}, "application/json", body.dump()};
}
kube::Request merge_patch_of(const std::string& path, const Json& body) {
    return {kube::Verb::Patch, path, {}, "application/merge-patch+json", body.dump()};
}
std::string path_of(const Json& pod) {
    return kube::object_path(kube::pods, ns, pod.at("metadata").at("name").get<std::string>());
}

/// Without a time the disruption controller would take it for an old one, and clear it.
Json disruption(const std::string& reason) {
    return {{"type", "DisruptionTarget"},
            {"status", "True"},
            {"reason", reason},
            {"lastTransitionTime", rfc3339(carried_clock()())}};
}

class EndsOnApiServer : public Life {
protected:
    std::string reason_of(const std::string& name, const std::string& type) {
        const Json object = get(name);
        for (const Json& one : member(member(object, "status"), "conditions"))
            if (text_of(one, "type") == type) return text_of(one, "reason");
        return {};
    }
    std::string message_of(const std::string& name, const std::string& type) {
        const Json object = get(name);
        for (const Json& one : member(member(object, "status"), "conditions"))
            if (text_of(one, "type") == type) return text_of(one, "message");
        return {};
    }
    static std::int64_t restarts_of(const std::string& name) {
        const Json object = get(name);
        return number_of(member(object, "status"), "restarts");
    }
    void live_on(const std::string& name) {
        await(name + " has ended", [&] {
            step(name);
            return has_ended(name);
        });
    }
    void begin(const Json& object, int nodes) {
        must(kube::create(kube::evaljobs, ns, object));
        const auto name = object.at("metadata").at("name").get<std::string>();
        await_pods(name, static_cast<std::size_t>(nodes));
    }
    /// An operator whose clock the test sets forward.
    void start_with_clock() {
        stop_operator();
        transport = ControlPlane::shared().connect();
        threads = start(*transport, [this, clock = carried_clock()] { return clock() + later; });
    }
    void TearDown() override {
        if (transport) transport->end_streams();
        threads.reset();
        transport.reset();
        Life::TearDown();
    }
    std::atomic<UnixSeconds> later = 0;
    std::unique_ptr<cluster::CpprestTransport> transport;
    std::unique_ptr<cluster::ControllerThreads> threads;
};

// ---- F9

struct Stage {
    const char* name;
    std::function<bool(const std::vector<Json>& pods)> reached;
};
void PrintTo(const Stage& stage, std::ostream* out) { *out << stage.name; }
class NamesakesOnApiServer : public EndsOnApiServer, public testing::WithParamInterface<Stage> {};

TEST_P(NamesakesOnApiServer, F9OldChildrenAreNeverAdopted) {
    static const End undisturbed = [this] {
        must(kube::create(kube::evaljobs, ns, fashion_job("no-namesake", 2)));
        live_on("no-namesake");
        return end_of("no-namesake");
    }();
    const std::string name = std::string("namesake-") + GetParam().name;
    must(kube::create(kube::evaljobs, ns, fashion_job(name, 2)));
    await(GetParam().name, [&] {
        if (GetParam().reached(pods_of(name))) return true;
        step(name);
        return false;
    });
    must(kube::remove(kube::evaljobs, ns, name, "", -1));
    const auto uid = must(kube::create(kube::evaljobs, ns, fashion_job(name, 2))).at("metadata").at("uid");
    live_on(name);
    await("the children are all the new one's", [&] {
        for (const Json& pod : pods_of(name)) {
            const Json& owner = pod.at("metadata").at("ownerReferences").at(0);
            if (owner.at("kind") == "EvalJob" && owner.at("uid") != uid) return false;
        }
        return pods_of(name).size() == 4;
    });
    EXPECT_EQ(end_of(name), undisturbed);
}

bool some(const std::vector<Json>& pods, const std::function<bool(const PodView&)>& holds) {
    return std::any_of(pods.begin(), pods.end(), [&](const Json& pod) { return holds(kube::pod_view(pod)); });
}

INSTANTIATE_TEST_SUITE_P(
    At, NamesakesOnApiServer,
    testing::Values(
        Stage{"at-once", [](const auto&) { return true; }},
        Stage{"created", [](const auto& pods) { return !pods.empty(); }},
        Stage{"running", [](const auto& pods) { return some(pods, [](auto& pod) { return pod.phase == "Running"; }); }},
        Stage{"died", [](const auto& pods) { return some(pods, [](auto& pod) { return pod.phase == "Failed"; }); }},
        Stage{"merging", [](const auto& pods) { return some(pods, [](auto& pod) { return pod.merge; }); }}),
    [](const auto& row) {
        std::string name = row.param.name;
        std::erase(name, '-');
        return name;
    });

// ---- F10

TEST_F(EndsOnApiServer, F10TheTokenIsReplacedAndTheOldOneDies) {
    stop_operator();
    must(post(
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        {{"metadata", {{"name", "rotated"}}},
         {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", "cluster-admin"}}},
         {"subjects", Json::array({{{"kind", "Group"},
                                    {"apiGroup", "rbac.authorization.k8s.io"},
                                    {"name", "system:serviceaccounts:default"}}})}}));
    const std::string accounts = "/api/v1/namespaces/default/serviceaccounts";
    const auto token_of = [&](const std::string& account) {
        must(post(accounts, {{"metadata", {{"name", account}}}}));
        return must(post(accounts + "/" + account + "/token", {{"spec", {{"expirationSeconds", 3600}}}}))
            .at("status")
            .at("token")
            .get<std::string>();
    };
    auto access = cluster::find_access(ControlPlane::shared().kubeconfig(), "");
    ASSERT_TRUE(access.has_value());
    access->token_file = testing::TempDir() + "evaljob-rotated-token";
    const auto write = [&](const std::string& token) { std::ofstream(access->token_file) << token; };
    write(token_of("account-one"));
    const auto real = *cluster::CpprestTransport::connect(
        access->server, std::make_shared<cluster::Credentials>(*access, carried_clock()), "evaljob-test");
    int failed = 0;
    const auto ask = [&] {
        const auto answer = real->send(kube::list(kube::evaljobs, ns, ""));
        failed += !answer || answer->status != 200;
        return failed;
    };
    ASSERT_EQ(ask(), 0);
    write(token_of("account-two"));
    must(kube::remove({"", "v1", "serviceaccounts", "ServiceAccount"}, ns, "account-one", "", -1));
    for (int i = 0; i < 50; ++i) ask();
    EXPECT_LE(failed, 1);
    EXPECT_TRUE(real->open(kube::watch(kube::evaljobs, ns, "", "")).has_value());
    std::remove(access->token_file.c_str());
}

// ---- F11

TEST_F(EndsOnApiServer, F11AnEvictedPodIsReplacedUncounted) {
    begin(fashion_job("evicted", 2), 2);
    for (const Json& pod : pods_of("evicted")) run(pod);
    await_condition("evicted", "Running");
    must(merge_patch_of(path_of(pod_named("evicted-1-0")) + "/status",
                        {{"status",
                          {{"phase", "Failed"},
                           {"reason", "Evicted"},
                           {"message", "The node was low on resource: memory."},
                           {"conditions", Json::array({disruption("TerminationByKubelet")})}}}}));
    await_pods("evicted", 3);
    EXPECT_EQ(restarts_of("evicted"), 0);
}

TEST_F(EndsOnApiServer, F11TheBudgetIsExact) {
    Json object = fashion_job("budget", 2);
    object["spec"]["restartPolicy"] = {{"maxRestarts", 2}};
    begin(object, 2);
    for (int attempt = 0; attempt < 3; ++attempt) {
        for (const Json& pod : pods_of("budget"))
            if (kube::pod_view(pod).phase == "Pending") run(pod);
        end(pod_named("budget-1-" + std::to_string(attempt)), 137, "out of memory");
        if (attempt < 2) await_pods("budget", 3 + static_cast<std::size_t>(attempt));
    }
    await_condition("budget", "Failed");
    EXPECT_EQ(reason_of("budget", "Failed"), "MaxRestartsExceeded");
    EXPECT_EQ(restarts_of("budget"), 2);
}

TEST_F(EndsOnApiServer, F11APodOnALostNodeIsReplaced) {
    start_with_clock();
    begin(fashion_job("lost", 2), 2);
    for (const Json& pod : pods_of("lost")) run(pod);
    await_condition("lost", "Running");
    const Json pod = pod_named("lost-1-0");
    must(post(path_of(pod) + "/binding",
              {{"metadata", {{"name", "lost-1-0"}}}, {"target", {{"kind", "Node"}, {"name", "node-that-is-lost"}}}}));
    must(merge_patch_of(path_of(pod) + "/status",
                        {{"status", {{"conditions", Json::array({disruption("DeletionByTaintManager")})}}}}));
    must(kube::remove(kube::pods, ns, "lost-1-0", "", -1));
    const Json leaving = pod_named("lost-1-0");
    ASSERT_TRUE(leaving.at("metadata").contains("deletionTimestamp")) << "nobody there ends it";
    later = 120;  // its grace period and 30 s
    await("another has its place",
          [&] { return some(pods_of("lost"), [](auto& view) { return view.node == 1 && view.attempt == 1; }); });
    EXPECT_EQ(restarts_of("lost"), 0) << message_of("lost", "Running");
}

TEST_F(EndsOnApiServer, F11AMissingImageEndsAtItsDeadline) {
    start_with_clock();
    Json object = fashion_job("image", 2);
    object["spec"]["startupDeadlineSeconds"] = 600;
    begin(object, 2);
    for (const Json& pod : pods_of("image"))
        must(merge_patch_of(
            path_of(pod) + "/status",
            {{"status",
              {{"phase", "Pending"},
               {"containerStatuses",
                Json::array(
                    {{{"name", "runner"},
                      {"image", "image"},
                      {"imageID", ""},
                      {"ready", false},
                      {"restartCount", 0},
                      {"state", {{"waiting", {{"reason", "ImagePullBackOff"}, {"message", "no such image"}}}}}}})}}}}));
    await("what is waited for is said",
          [&] { return message_of("image", "Running").find("ImagePullBackOff") != std::string::npos; });
    EXPECT_FALSE(has_ended("image")) << "no early deadline";
    later = 700;
    await_condition("image", "Failed");
    EXPECT_EQ(reason_of("image", "Failed"), "StartupDeadlineExceeded");
    EXPECT_NE(message_of("image", "Failed").find("ImagePullBackOff"), std::string::npos)
        << message_of("image", "Failed");
}

TEST_F(EndsOnApiServer, F11AMergeAtItsLimitFailsTheJob) {
    Json object = fashion_job("limit", 1);
    object["spec"]["merge"] = {{"backoffLimit", 0}};
    begin(object, 1);
    run(pod_named("limit-0-0"));
    end(pod_named("limit-0-0"), 0);
    await("there is a merge", [&] {
        for (const Json& pod : pods_of("limit"))
            if (kube::pod_view(pod).merge) {
                end(pod, 1, "no room to think");
                return true;
            }
        return false;
    });
    await_condition("limit", "Failed");
    EXPECT_EQ(reason_of("limit", "Failed"), "MergeFailed");
    EXPECT_EQ(restarts_of("limit"), 0);
}

// ---- F15

TEST_F(EndsOnApiServer, F15NothingIsMadeForAJobThatIsHeldByAFinalizer) {
    Json object = fashion_job("held", 2);
    object["metadata"]["finalizers"] = {"test.example/away"};  // of an API that nobody serves any more
    begin(object, 2);
    must(kube::remove(kube::evaljobs, ns, "held", "", -1));
    must(kube::remove(kube::pods, ns, "held-0-0", "", 0));
    // The operator looks at jobs in order: when this one has its Pods, it has looked at the held one.
    begin(fashion_job("after-held", 2), 2);
    EXPECT_EQ(pods_of("held").size(), 1U);
    must(merge_patch_of(kube::object_path(kube::evaljobs, ns, "held"), {{"metadata", {{"finalizers", nullptr}}}}));
    await_pods("held", 0);
}

TEST_F(EndsOnApiServer, F15ItsClaimIsGoneAndDeletionCompletes) {
    begin(fashion_job("claimless", 2), 2);
    EXPECT_FALSE(ControlPlane::shared()
                     .send(kube::get({"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"}, ns, "shared"))
                     .has_value());
    must(kube::remove(kube::evaljobs, ns, "claimless", "", -1));
    await_pods("claimless", 0);
    await("it is gone", [&] { return !ControlPlane::shared().send(kube::get(kube::evaljobs, ns, "claimless")); });
}

}  // namespace
}  // namespace evaljob::test
