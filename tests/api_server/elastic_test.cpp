// Nodes that come and go in the middle of a run, by what people and the scale subresource ask for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/json_read.hpp"
#include "operator/kube/views.hpp"
#include "tests/api_server/life.hpp"

namespace evaljob::test {
namespace {

class ElasticOnApiServer : public Life {
protected:
    static kube::Request scale_request(const std::string& name) {
        kube::Request request = kube::get(kube::evaljobs, ns, name);
        request.path += "/scale";
        return request;
    }

    /// As kubectl scale does: once more when the operator has written in between.
    static Result<Json> scale(const std::string& name, int replicas) {
        for (;;) {
            Json scale = must(scale_request(name));
            scale["spec"]["replicas"] = replicas;
            kube::Request request = kube::replace(kube::evaljobs, ns, name, scale);
            request.path += "/scale";
            auto answer = ControlPlane::shared().send(request);
            if (answer || answer.error().reason != "Conflict") return answer;
        }
    }

    static void await_names(const std::string& job, const std::set<std::string>& names) {
        std::set<std::string> seen;
        await(job + "'s live Pods", [&] {
            seen.clear();
            for (const Json& pod : pods_of(job))
                if (!kube::pod_view(pod).deleting) seen.insert(kube::meta_view(pod).name);
            return seen == names;
        });
    }

    static void run_all(const std::string& job) {
        for (const Json& pod : pods_of(job)) run(pod);
    }
};

TEST_F(ElasticOnApiServer, WorkStartsWhenNodeZeroAndMinNodesRun) {
    Json job = fashion_job("early", 3);
    job["spec"]["minNodes"] = 2;
    must(kube::create(kube::evaljobs, ns, job));
    await_pods("early", 3);
    run(pod_named("early-2-0"));
    run(pod_named("early-1-0"));
    EXPECT_FALSE(has_condition("early", "Running")) << "node 0 leads";
    run(pod_named("early-0-0"));
    await_condition("early", "Running");
    await("two of three", [] { return text_of(member(status_of("early"), "summary"), "nodes") == "3/3"; });
}

TEST_F(ElasticOnApiServer, NodesAreAddedAndDroppedInTheMiddleOfARun) {
    must(kube::create(kube::evaljobs, ns, fashion_job("elastic", 2)));
    await_pods("elastic", 2);
    run_all("elastic");
    await_condition("elastic", "Running");
    ASSERT_TRUE(scale("elastic", 4).has_value());
    await_names("elastic", {"elastic-0-0", "elastic-1-0", "elastic-2-0", "elastic-3-0"});
    run_all("elastic");
    ASSERT_TRUE(scale("elastic", 1).has_value());
    await_names("elastic", {"elastic-0-0"});
    ASSERT_TRUE(scale("elastic", 2).has_value());
    await_names("elastic", {"elastic-0-0", "elastic-1-1"});
    await("the scale subresource counts", [] {
        const Json scale = must(scale_request("elastic"));
        return number_of(member(scale, "spec"), "replicas") == 2 && number_of(member(scale, "status"), "replicas") == 2;
    });
    run(pod_named("elastic-1-1"));
    for (const char* name : {"elastic-0-0", "elastic-1-1"}) end(pod_named(name), 0);
    merge("elastic");
    await_condition("elastic", "Succeeded");
    EXPECT_EQ(number_of(status_of("elastic"), "restarts"), 0) << "scaling is no failure";
}

TEST_F(ElasticOnApiServer, NodeZeroIsNeverDropped) {
    must(kube::create(kube::evaljobs, ns, fashion_job("least", 2)));
    await_pods("least", 2);
    const auto refused = scale("least", 0);
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().message, testing::HasSubstr("numNodes"));
}

TEST_F(ElasticOnApiServer, AnImageOfOnesOwnStaysRigid) {
    Json job = fashion_job("rigid", 2);
    job["spec"].erase("eval");
    job["spec"]["template"]["spec"]["containers"] = {{{"name", "runner"}, {"image", "mine"}}};
    must(kube::create(kube::evaljobs, ns, job));
    await_pods("rigid", 2);
    const auto refused = scale("rigid", 3);
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().message, testing::HasSubstr("numNodes"));
}

}  // namespace
}  // namespace evaljob::test
