// The operator works with the chart's role and nothing else, and uses all of it: the API server's audit log says what
// it asked for.
#include <gmock/gmock.h>

#include "api/exit_code.hpp"
#include "api/json_read.hpp"
#include "api/names.hpp"
#include "operator/kube/views.hpp"
#include "tests/chart/audit.hpp"
#include "tests/chart/release.hpp"

namespace evaljob::test {
namespace {

using testing::HasSubstr;
using testing::Not;

const kube::Resource volcano_groups{"scheduling.volcano.sh", "v1beta1", "podgroups", "PodGroup"};

/// The namespace that is watched; empty: all.
class RoleOnApiServer : public Release, public testing::WithParamInterface<const char*> {
protected:
    void SetUp() override {
        Release::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        serve_volcano();
        install({"--set", std::string("rbac.gangs={Volcano},operator.logLevel=debug,watchNamespace=") + GetParam()});
        // Admission learns of a new CRD within half a minute.
        const auto client = connect_as_operator();
        await("owner references of EvalJobs are known", [&] { return create_child(*client).empty(); });
        asked_before_ = asked_by(user).size();
    }

    Json role() const {
        return *GetParam() ? must(kube::get(roles, GetParam(), "evaljob"))
                           : must(kube::get(clusterroles, "", "evaljob"));
    }

    std::set<Right> granted() const {
        std::set<Right> rights = rights_of(role());
        rights.merge(rights_of(must(kube::get(roles, home, "evaljob-lease"))));
        // Asked by admission, not by the operator: AChildThatBlocksItsOwnersDeletionNeedsTheFinalizersRule.
        EXPECT_EQ(rights.erase("update evaljob.dev evaljobs/finalizers"), 1U);
        return rights;
    }

    std::set<Right> used() const {
        std::set<Right> rights;
        for (const Asked& asked : asked_by(user, asked_before_)) rights.insert(asked.right);
        return rights;
    }

    std::vector<std::string> forbidden() const {
        std::vector<std::string> lines;
        for (const Asked& asked : asked_by(user, asked_before_))
            if (asked.status == 403 || asked.status == 401) lines.push_back(asked.line);
        return lines;
    }

    /// What is said against a child whose owner's deletion would wait for it; nothing is made.
    static std::string create_child(cluster::CpprestTransport& as) {
        const Json owner = {{"apiVersion", "evaljob.dev/v1alpha1"},
                            {"kind", "EvalJob"},
                            {"name", "owner"},
                            {"uid", "uid-of-no-one"},
                            {"controller", true},
                            {"blockOwnerDeletion", true}};
        kube::Request request = kube::create(
            kube::services, ns,
            {{"metadata", {{"name", "child"}, {"ownerReferences", {owner}}}}, {"spec", {{"ports", {{{"port", 1}}}}}}});
        request.query["dryRun"] = "All";
        const auto response = as.send(request);
        const auto answer = response ? kube::read_response(*response) : tl::unexpected(response.error());
        return answer ? "" : answer.error().message;
    }

    static void create(const std::string& name, int nodes, const Json& more = Json::object()) {
        Json job = fashion_job(name, nodes);
        job["spec"].update(more);
        must(kube::create(kube::evaljobs, ns, job));
    }

    static void run_all(const std::string& name, std::size_t nodes) {
        await_pods(name, nodes);
        for (const Json& pod : pods_of(name)) run(pod);
        await_condition(name, "Running");
    }

    static void end_all(const std::string& name) {
        for (const Json& pod : pods_of(name))
            if (kube::pod_view(pod).phase == "Running") end(pod, 0);
    }

    /// A node vanishes, the work is done all the same, merged, and the EvalJob goes when its time has passed.
    static void live_whole() {
        create("whole", 2, {{"ttlSecondsAfterFinished", 1}});
        run_all("whole", 2);
        must(kube::remove(kube::pods, ns, "whole-1-0", "", 0));
        await("the vanished node's next attempt", [] { return exists(kube::pods, ns, "whole-1-1"); });
        run(pod_named("whole-1-1"));
        end_all("whole");
        merge("whole");
        await("its time to live has passed", [] { return !exists(kube::evaljobs, ns, "whole"); });
    }

    static void fail_beside_a_node_that_runs() {
        create("fails", 2);
        run_all("fails", 2);
        end(pod_named("fails-1-0"), exit_code::usage);
        await_condition("fails", "Failed");
        await("the other node is ended", [] { return !exists(kube::pods, ns, "fails-0-0"); });
    }

    static void suspend_while_merging() {
        create("rests", 1);
        run_all("rests", 1);
        end_all("rests");
        const std::string merge = names::merge_job("rests");
        await("a merge", [&] { return exists(kube::jobs, ns, merge); });
        change(kube::evaljobs, ns, "rests", {{"spec", {{"suspend", true}}}});
        await("the merge is ended", [&] { return !exists(kube::jobs, ns, merge); });
    }

    static void find_names_taken() {
        must(kube::create(kube::services, ns,
                          {{"metadata", {{"name", "taken"}}}, {"spec", {{"ports", {{{"port", 1}}}}}}}));
        create("taken", 1);
        await_condition("taken", "Failed");

        Json theirs = {{"metadata", {{"name", names::merge_job("merges")}}},
                       {"spec",
                        {{"suspend", true},
                         {"template",
                          {{"spec",
                            {{"restartPolicy", "Never"},
                             {"containers", Json::array({{{"name", "one"}, {"image", "image"}}})}}}}}}}};
        must(kube::create(kube::jobs, ns, theirs));
        create("merges", 1);
        run_all("merges", 1);
        end_all("merges");
        await_condition("merges", "Failed");
    }

    /// Volcano's groups, served as a cluster with Volcano would; nothing acts on them here.
    static void serve_volcano() {
        if (exists(definitions, "", "podgroups.scheduling.volcano.sh")) return;
        const Json schema = {{"openAPIV3Schema", {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}}};
        const Json version = {{"name", "v1beta1"}, {"served", true}, {"storage", true}, {"schema", schema}};
        must(kube::create(definitions, "",
                          {{"metadata", {{"name", "podgroups.scheduling.volcano.sh"}}},
                           {"spec",
                            {{"group", volcano_groups.group},
                             {"scope", "Namespaced"},
                             {"names", {{"plural", "podgroups"}, {"kind", "PodGroup"}}},
                             {"versions", Json::array({version})}}}}));
        await("groups are served", [] {
            return ControlPlane::shared().send(kube::list(volcano_groups, ns, "")).has_value() &&
                   ControlPlane::shared().send(kube::get("/apis/scheduling.volcano.sh/v1beta1")).has_value();
        });
    }

    static void ask_for_gangs() {
        must(kube::create(volcano_groups, ns,
                          {{"apiVersion", "scheduling.volcano.sh/v1beta1"},
                           {"kind", "PodGroup"},
                           {"metadata", {{"name", names::gang("stands")}}}}));
        const Json gang = {{"scheduling", {{"gang", "Volcano"}}}};
        create("stands", 1, gang);
        await_condition("stands", "Failed");
        create("gang", 1, gang);
        await_pods("gang", 1);
        EXPECT_TRUE(exists(volcano_groups, ns, names::gang("gang")));
    }

    static void clear() {
        for (const char* name : {"whole", "fails", "rests", "taken", "merges", "stands", "gang"}) {
            static_cast<void>(ControlPlane::shared().send(kube::remove(kube::evaljobs, ns, name, "", -1)));
            await_pods(name, 0);  // else the next life would take them for its own
            static_cast<void>(ControlPlane::shared().send(kube::remove(kube::claims, ns, names::claim(name), "", -1)));
            await("no claim is kept", [&] { return !exists(kube::claims, ns, names::claim(name)); });
        }
        must(kube::remove(volcano_groups, ns, names::gang("stands"), "", -1));
        must(kube::remove(kube::services, ns, "taken", "", -1));
        must(kube::remove(kube::jobs, ns, names::merge_job("merges"), "", -1));
    }

    std::size_t asked_before_ = 0;
};

TEST_P(RoleOnApiServer, IsEnoughAndAllOfItIsUsed) {
    start_operator();
    live_whole();
    fail_beside_a_node_that_runs();
    suspend_while_merging();
    find_names_taken();
    ask_for_gangs();
    await("the Lease is renewed", [&] { return used().contains("update coordination.k8s.io leases"); });
    stop_operator();
    EXPECT_THAT(forbidden(), testing::IsEmpty());
    EXPECT_EQ(used(), granted());
    for (const Asked& asked : asked_by(user, asked_before_)) {
        if (*GetParam()) {
            EXPECT_THAT(asked.ns, testing::AnyOf(GetParam(), home)) << asked.line;
        }
    }
    clear();
}

TEST_P(RoleOnApiServer, EveryPodIsRestrictedAndHoldsNoTokenOfTheCluster) {
    start_operator();
    create("safe", 2);
    run_all("safe", 2);
    const auto expect_safe = [](const Json& pod) {
        EXPECT_EQ(pod.at("spec").at("automountServiceAccountToken"), false);
        EXPECT_THAT(pod.at("spec").dump(), Not(HasSubstr("serviceAccountToken\":{")));
        EXPECT_EQ(pod.at("spec").at("securityContext").at("runAsNonRoot"), true);
    };
    for (const Json& pod : pods_of("safe")) expect_safe(pod);
    end_all("safe");
    await_pods("safe", 3);  // the namespace takes the merge's Pod from the real Job controller
    for (const Json& pod : pods_of("safe")) expect_safe(pod);
    merge("safe");
    await_condition("safe", "Succeeded");

    const Json secret = must(kube::get(kube::secrets, ns, text_of(member(get("safe"), "status"), "runSecret")));
    stop_operator();
    EXPECT_THAT(operator_log(), HasSubstr("working with"));
    EXPECT_THAT(operator_log(), Not(HasSubstr(secret.at("data").at("token").get<std::string>())));
    EXPECT_THAT(operator_log(), Not(HasSubstr("eyJ")));  // how every token of a service account begins
    must(kube::remove(kube::evaljobs, ns, "safe", "", -1));
}

TEST_P(RoleOnApiServer, AChildThatBlocksItsOwnersDeletionNeedsTheFinalizersRule) {
    const auto client = connect_as_operator();
    ASSERT_EQ(create_child(*client), "");
    Json without = role();
    Json rules = Json::array();
    for (const Json& rule : without.at("rules"))
        if (rule.at("resources") != Json{"evaljobs/finalizers"}) rules.push_back(rule);
    ASSERT_EQ(rules.size() + 1, without.at("rules").size());
    change(*GetParam() ? roles : clusterroles, GetParam(), "evaljob", {{"rules", rules}});
    await("it is refused", [&] { return create_child(*client).find("blockOwnerDeletion") != std::string::npos; });
}

INSTANTIATE_TEST_SUITE_P(, RoleOnApiServer, testing::Values("", ns),
                         [](const auto& info) { return *info.param ? "OfOneNamespace" : "OfTheCluster"; });

}  // namespace
}  // namespace evaljob::test
