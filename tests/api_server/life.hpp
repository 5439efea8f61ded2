// What tests of an EvalJob's life on a real API server share: an operator in this process, and a kubelet that says what
// the test tells it to.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/json.hpp"
#include "operator/carried_clock.hpp"
#include "operator/cluster/controller_threads.hpp"
#include "tests/api_server/control_plane.hpp"
#include "tests/fashion_job.hpp"

namespace evaljob::test {

inline constexpr const char* ns = "default";

std::string report_of_merge();

/// What is left of a life that has ended, without what differs from life to life.
struct End {
    std::string status;  // summary and restarts
    std::string result;
    std::set<std::string> children;

    bool operator==(const End&) const = default;
};
void PrintTo(const End& end, std::ostream* out);

class Life : public OnControlPlane {
protected:
    void SetUp() override;
    void TearDown() override { stop_operator(); }

    static kube::Milliseconds ticks();
    static std::unique_ptr<cluster::ControllerThreads> start(kube::Transport& transport, Clock clock = carried_clock());
    virtual void start_operator();
    virtual void stop_operator();

    static Json must(const kube::Request& request);
    static std::vector<Json> pods_of(const std::string& name);
    static Json pod_named(const std::string& name);
    static Json get(const std::string& name);
    static Json condition(const std::string& name, const std::string& type);  // null: there is none
    static bool has_condition(const std::string& name, const std::string& type);
    static Json status_of(const std::string& name);
    /// As kubectl patch does.
    static Result<Json> change(const std::string& name, const Json& spec);

    /// Asks again until it holds: the server, its controllers and the operator work at their own pace.
    static void await(const std::string& what, const std::function<bool()>& holds);
    static void await_condition(const std::string& name, const std::string& type);
    static void await_pods(const std::string& name, std::size_t count);

    /// What a kubelet says of a Pod.
    static void run(const Json& pod, const std::string& ip = "");
    static void wait_for_image(const Json& pod);
    static void end(const Json& pod, int code, const std::string& message = "");
    /// Ends the merge's Pod, which the real Job controller makes.
    static void merge(const std::string& name, int code = 0, const std::string& message = report_of_merge());

    /// One look of a kubelet at all Pods: node 1 dies once, the others work until it is replaced, the merge reports.
    static void step(const std::string& name);
    static bool has_ended(const std::string& name);
    static End end_of(const std::string& name);

private:
    std::unique_ptr<cluster::CpprestTransport> transport_;
    std::unique_ptr<cluster::ControllerThreads> operator_;
};

}  // namespace evaljob::test
