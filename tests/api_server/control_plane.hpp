// A real control plane for as long as the object lives, and a client of it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "api/json.hpp"
#include "api/result.hpp"
#include "operator/cluster/cpprest_transport.hpp"

namespace evaljob::test {

class ControlPlane {
public:
    /// Whether our CRD is there from the beginning, or someone else brings it.
    enum class Crd { Ours, None };

    explicit ControlPlane(Crd crd);
    ~ControlPlane();

    /// Started once a program, by the first call. Throws std::runtime_error with what the control plane said.
    static ControlPlane& shared(Crd crd = Crd::Ours);

    std::string kubeconfig() const;
    std::string audit_log() const;  // what service accounts asked for, a JSON object a line
    /// The process of kube-apiserver, to be stopped and continued.
    int api_server() const;
    /// A client of its own, as the administrator.
    std::unique_ptr<cluster::CpprestTransport> connect(cluster::TransportOptions options = {}) const;

    Result<Json> send(const kube::Request& request);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Tests that need one: skipped, and say so, where its programs are not on PATH; with EVALJOB_REQUIRE_API_SERVER they
/// fail.
class OnControlPlane : public testing::Test {
protected:
    void SetUp() override;
};

}  // namespace evaljob::test
