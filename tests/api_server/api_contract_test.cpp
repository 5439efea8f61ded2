// A real API server does what ours takes for granted: the rows that the one in memory is held to.
#include "tests/api_contract/contract.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/api_server/control_plane.hpp"

namespace evaljob::test {
namespace {

class ApiContractOnApiServer : public OnControlPlane, public testing::WithParamInterface<ContractRow> {
protected:
    /// Empty, and with the account that Pods need.
    static std::string new_namespace() {
        static int number = 0;
        const std::string name = "contract-" + std::to_string(++number);
        kube::Request request;
        request.verb = kube::Verb::Post;
        request.path = "/api/v1/namespaces";
        request.content_type = "application/json";
        request.body = Json{{"metadata", {{"name", name}}}}.dump();
        EXPECT_TRUE(ControlPlane::shared().send(request).has_value());
        const kube::Request account{
            kube::Verb::Get, "/api/v1/namespaces/" + name + "/serviceaccounts/default", {}, "", ""};
        EXPECT_TRUE(Contract::eventually([&] { return ControlPlane::shared().send(account).has_value(); }));
        return name;
    }
};

TEST_P(ApiContractOnApiServer, Holds) {
    static const auto transport = ControlPlane::shared().connect();
    const std::string ns = new_namespace();
    Contract contract(*transport, ns, new_namespace());
    GetParam().body(contract);
}

INSTANTIATE_TEST_SUITE_P(Real, ApiContractOnApiServer, testing::ValuesIn(contract_rows()),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::test
