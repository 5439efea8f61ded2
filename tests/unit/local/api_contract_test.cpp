// The API server in memory does what ours takes for granted; tests/api_server asks the same of a real one.
#include "tests/api_contract/contract.hpp"

#include <gtest/gtest.h>

#include "local/memory_api.hpp"

namespace evaljob::test {
namespace {

class ApiContract : public testing::TestWithParam<ContractRow> {};

TEST_P(ApiContract, Holds) {
    local::MemoryApi api{{}};
    Contract contract(api, "default", "other");
    GetParam().body(contract);
}

INSTANTIATE_TEST_SUITE_P(Memory, ApiContract, testing::ValuesIn(contract_rows()),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::test
