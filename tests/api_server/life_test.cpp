// An EvalJob's life on a real API server, with the real Job controller and garbage collection; the kubelet is ours.
#include "tests/api_server/life.hpp"

#include "api/json_read.hpp"

namespace evaljob::test {
namespace {

class LifeOnApiServer : public Life {};

TEST_F(LifeOnApiServer, FromCreationToScore) {
    must(kube::create(kube::evaljobs, ns, fashion_job("whole", 3)));
    await_pods("whole", 3);
    for (const Json& pod : pods_of("whole")) run(pod);
    await_condition("whole", "Running");
    for (const Json& pod : pods_of("whole")) end(pod, 0);
    merge("whole");
    await_condition("whole", "Succeeded");
    const Json status = get("whole").at("status");
    EXPECT_EQ(status.at("summary").at("score"), "0.913") << status.dump(2);
    EXPECT_EQ(status.at("summary").at("status"), "Succeeded");
    EXPECT_EQ(status.at("results").at("samples"), 100);
    EXPECT_EQ(status.at("metrics").at(0).at("value"), "0.9134");
}

TEST_F(LifeOnApiServer, ADeadNodeIsReplacedAndCounted) {
    must(kube::create(kube::evaljobs, ns, fashion_job("dies", 2)));
    await_pods("dies", 2);
    for (const Json& pod : pods_of("dies")) run(pod);
    await_condition("dies", "Running");
    end(pod_named("dies-1-0"), 137, "out of memory");
    await_pods("dies", 3);
    EXPECT_EQ(number_of(member(get("dies"), "status"), "restarts"), 1);
    run(pod_named("dies-1-1"));
    for (const char* name : {"dies-0-0", "dies-1-1"}) end(pod_named(name), 0);
    merge("dies");
    await_condition("dies", "Succeeded");
}

TEST_F(LifeOnApiServer, AnotherOperatorGoesOnWhereOneEnded) {
    must(kube::create(kube::evaljobs, ns, fashion_job("goes-on", 2)));
    await_pods("goes-on", 2);
    stop_operator();
    for (const Json& pod : pods_of("goes-on")) run(pod);
    end(pod_named("goes-on-0-0"), 1);
    start_operator();
    await_pods("goes-on", 3);
    run(pod_named("goes-on-0-1"));
    stop_operator();
    for (const char* name : {"goes-on-0-1", "goes-on-1-0"}) end(pod_named(name), 0);
    start_operator();
    merge("goes-on");
    await_condition("goes-on", "Succeeded");
    EXPECT_EQ(number_of(member(get("goes-on"), "status"), "restarts"), 1);
}

TEST_F(LifeOnApiServer, SuspendTakesThePodsAndResumeMakesThemAnew) {
    must(kube::create(kube::evaljobs, ns, fashion_job("rests", 2)));
    await_pods("rests", 2);
    const auto suspend = [](bool on) { EXPECT_TRUE(change("rests", {{"suspend", on}}).has_value()); };
    suspend(true);
    await_condition("rests", "Suspended");
    // Pods without a node go at once: nobody has to end them.
    await_pods("rests", 0);
    suspend(false);
    await_pods("rests", 2);
}

TEST_F(LifeOnApiServer, WhatItMadeGoesWithIt) {
    must(kube::create(kube::evaljobs, ns, fashion_job("goes", 2)));
    await_pods("goes", 2);
    must(kube::remove(kube::evaljobs, ns, "goes", "", -1));
    await_pods("goes", 0);
    await("its Service is gone", [&] {
        const auto service = ControlPlane::shared().send(kube::get(kube::services, ns, "goes"));
        return !service && service.error().reason == "NotFound";
    });
}

TEST_F(LifeOnApiServer, ImmutableFieldsAreRefused) {
    must(kube::create(kube::evaljobs, ns, fashion_job("fixed", 2)));
    const auto refused = change("fixed", {{"numProcPerNode", 4}});
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("numProcPerNode: is immutable"), std::string::npos)
        << refused.error().message;
    EXPECT_TRUE(change("fixed", {{"numNodes", 3}}).has_value());
    await_pods("fixed", 3);
}

}  // namespace
}  // namespace evaljob::test
