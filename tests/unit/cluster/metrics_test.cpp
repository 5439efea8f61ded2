// What /metrics shows after a few things have happened.
#include "operator/cluster/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "local/memory_api.hpp"
#include "tests/fashion_job.hpp"

namespace evaljob::cluster {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, RequestsAreCountedByCodeMethodAndHost) {
    local::MemoryApi api{{}};
    Metrics metrics("1.2.3", 8);
    MeasuredTransport transport(api, metrics, "api:6443");
    ASSERT_TRUE(transport.send(kube::list(kube::pods, "default", "")).has_value());
    ASSERT_TRUE(transport.send(kube::get(kube::pods, "default", "none")).has_value());
    const std::string text = metrics.text();
    EXPECT_THAT(text, HasSubstr(R"(rest_client_requests_total{code="200",host="api:6443",method="GET"} 1)"));
    EXPECT_THAT(text, HasSubstr(R"(rest_client_requests_total{code="404",host="api:6443",method="GET"} 1)"));
    EXPECT_THAT(text, HasSubstr(R"(rest_client_request_duration_seconds_count{host="api:6443",verb="GET"} 2)"));
}

TEST(Metrics, EveryNameThatDashboardsKnowIsThere) {
    local::MemoryApi api{{}};
    Metrics metrics("1.2.3", 8);
    MeasuredTransport transport(api, metrics, "api");
    ControllerOptions options;
    options.ns = "default";
    options.clock = [] { return UnixSeconds{1'800'000'000}; };
    options.settings.in_cluster = false;
    options.reconciled = [&](const ReconcileTimes& times) { metrics.reconciled(times); };
    Controller controller(transport, options);
    metrics.read_from(&controller);
    metrics.leads("evaljob-operator", true);
    ASSERT_TRUE(api.send(kube::create(kube::evaljobs, "default", test::fashion_job("demo", 2))).has_value());
    while (controller.pump()) continue;
    const std::string text = metrics.text();
    for (const char* name :
         {R"(controller_runtime_reconcile_total{controller="evaljob",result="success"})",
          R"(controller_runtime_reconcile_errors_total{controller="evaljob"} 0)",
          R"(controller_runtime_reconcile_time_seconds_bucket{controller="evaljob",le="+Inf"})",
          R"(controller_runtime_max_concurrent_reconciles{controller="evaljob"} 8)",
          R"(controller_runtime_active_workers{controller="evaljob"} 0)",
          R"(workqueue_depth{controller="evaljob",name="evaljob"} 0)",
          R"(workqueue_adds_total{controller="evaljob",name="evaljob"})",
          R"(workqueue_queue_duration_seconds_count{controller="evaljob",name="evaljob"})",
          R"(workqueue_work_duration_seconds_count{controller="evaljob",name="evaljob"})",
          R"(workqueue_unfinished_work_seconds{controller="evaljob",name="evaljob"} 0)",
          R"(workqueue_longest_running_processor_seconds{controller="evaljob",name="evaljob"} 0)",
          R"(workqueue_retries_total{controller="evaljob",name="evaljob"} 0)",
          R"(leader_election_master_status{name="evaljob-operator"} 1)", R"(evaljob_info{version="1.2.3"} 1)",
          R"(evaljob_jobs{status="Starting"} 1)", R"(evaljob_nodes_ready{namespace="default",name="demo"} 0)"})
        EXPECT_THAT(text, HasSubstr(name));
    metrics.read_from(nullptr);
    EXPECT_THAT(metrics.text(), Not(HasSubstr("workqueue_depth")));
}

}  // namespace
}  // namespace evaljob::cluster
