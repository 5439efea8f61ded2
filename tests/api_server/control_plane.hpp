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
    ControlPlane();
    ~ControlPlane();

    /// Started once a program, with our CRD. Throws std::runtime_error with what the control plane said.
    static ControlPlane& shared();

    std::string kubeconfig() const;
    /// A client of its own, as the administrator.
    std::unique_ptr<cluster::CpprestTransport> connect() const;

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
