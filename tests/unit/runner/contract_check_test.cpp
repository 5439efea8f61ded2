// VLMEvalKit #142, the bug this project exists for: 4 nodes × 3 processes with ranks and devices mixed up, of which
// only node 0 saved anything. Here every such mistake is an error that names the processes and the variable.
#include "evaljob-runner/coordinator/contract_check.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "tests/unit/runner/hellos.hpp"

namespace evaljob::test {
namespace {

using testing::HasSubstr;

constexpr std::int32_t nodes = 4;
constexpr std::int32_t procs = 3;

Hello good(std::int32_t node, std::int32_t local) { return cuda_hello_of(nodes, procs, node, local); }

/// Everyone but the process of this place.
std::vector<Hello> all_but(std::int32_t node, std::int32_t local) {
    std::vector<Hello> others;
    for (std::int32_t n = 0; n < nodes; ++n) {
        for (std::int32_t l = 0; l < procs; ++l) {
            if (n != node || l != local) others.push_back(good(n, l));
        }
    }
    return others;
}

TEST(VlmEvalKit142, TwelveRightProcessesPassInAnyOrder) {
    std::vector<Hello> connected;
    for (std::int32_t i = 0; i < nodes * procs; ++i) {
        const std::int32_t place = i * 5 % (nodes * procs);  // 5 and 12 have no common factor: each place once
        const Hello hello = good(place / procs, place % procs);
        EXPECT_EQ(contract_violation(hello, expected_of(nodes, procs, "cuda"), connected), "") << describe(hello);
        connected.push_back(hello);
    }
}

struct Mistake {
    const char* name;
    std::int32_t node;
    std::int32_t local;
    std::function<void(Hello&)> spoil;
    std::vector<std::string> says;
};

class VlmEvalKit142Mistake : public testing::TestWithParam<Mistake> {
protected:
    Hello spoiled() const {
        Hello hello = good(GetParam().node, GetParam().local);
        GetParam().spoil(hello);
        return hello;
    }
};

TEST_P(VlmEvalKit142Mistake, IsNamedWithItsProcessesAndVariable) {
    const Hello hello = spoiled();
    const auto violation =
        contract_violation(hello, expected_of(nodes, procs, "cuda"), all_but(GetParam().node, GetParam().local));
    for (const auto& part : GetParam().says) EXPECT_THAT(violation, HasSubstr(part));
    EXPECT_THAT(violation, HasSubstr("pid " + std::to_string(hello.pid) + " on " + hello.host));
}

INSTANTIATE_TEST_SUITE_P(
    Table, VlmEvalKit142Mistake,
    testing::Values(
        // get_rank() returned the local rank: node 2's second process claims node 0's place.
        Mistake{"RankSetToLocalRank",
                2,
                1,
                [](Hello& h) { h.contract.rank = h.contract.local_rank; },
                {"RANK: two processes have RANK=1", "pid 101 on fm-0", "pid 301 on fm-2", "RANK is not LOCAL_RANK"}},
        Mistake{"TwoProcessesWithOneRank",
                3,
                2,
                [](Hello& h) { h.contract.rank = 4; },
                {"RANK: two processes have RANK=4", "pid 201 on fm-1", "pid 402 on fm-3"}},
        // cuda.set_device(rank) instead of the local rank.
        Mistake{"DeviceIndexIsRank",
                1,
                1,
                [](Hello& h) { h.device.index = h.contract.rank; },
                {"LOCAL_RANK", "wants device 4", "node 1 shows 3", "CUDA_VISIBLE_DEVICES: GPU-1-0,GPU-1-1,GPU-1-2"}},
        Mistake{"FewerDevicesThanProcesses",
                0,
                2,
                [](Hello& h) { h.device.visible.resize(2); },
                {"LOCAL_RANK", "wants device 2", "node 0 shows 2", "numProcPerNode"}},
        Mistake{"NoDevices",
                0,
                0,
                [](Hello& h) { h.device.visible.clear(); },
                {"node 0 shows 0", "CUDA_VISIBLE_DEVICES: none"}},
        Mistake{"NegativeDeviceIndex", 0, 1, [](Hello& h) { h.device.index = -1; }, {"wants device -1"}},
        Mistake{"TwoRunIds",
                1,
                0,
                [](Hello& h) { h.contract.run_id = "fm-2026-11-22"; },
                {"EVALJOB_RUN_ID=fm-2026-11-22", "the job's is fm-1b4e28ba"}},
        Mistake{"TwoProcessesOnOneDevice",
                3,
                0,
                [](Hello& h) { h.device.visible[0] = "GPU-0-2"; },
                {"CUDA_VISIBLE_DEVICES: two processes", "device GPU-0-2", "pid 102 on fm-0", "pid 400 on fm-3"}},
        Mistake{"OneOfItsTwoDevicesIsAnothers",
                3,
                0,
                [](Hello& h) {
                    h.device.count = 2;
                    h.device.visible = {"GPU-9", "GPU-0-2"};
                },
                {"CUDA_VISIBLE_DEVICES: two processes", "device GPU-0-2", "pid 102 on fm-0", "pid 400 on fm-3"}},
        Mistake{"FewerDevicesThanTwoForEach",
                1,
                1,
                [](Hello& h) { h.device.count = h.device.index = 2; },
                {"LOCAL_RANK", "wants devices 2 to 3", "node 1 shows 3"}},
        Mistake{"OtherWorldSize",
                1,
                2,
                [](Hello& h) { h.contract.world_size = 3; },
                {"WORLD_SIZE is 3", "LOCAL_WORLD_SIZE 3 is 12"}},
        Mistake{"OtherLocalWorldSize",
                1,
                2,
                [](Hello& h) { h.contract.local_world_size = 4; },
                {"LOCAL_WORLD_SIZE=4", "the job's is 3"}},
        Mistake{
            "OtherNumberOfNodes", 1, 2, [](Hello& h) { h.contract.num_nodes = 3; }, {"WORLD_SIZE is 12", "NNODES 3"}},
        Mistake{"RankBeyondTheWorld", 1, 2, [](Hello& h) { h.contract.rank = 12; }, {"RANK is 12"}},
        Mistake{"LocalRankBeyondTheNode", 1, 2, [](Hello& h) { h.contract.local_rank = 3; }, {"LOCAL_RANK is 3"}},
        Mistake{"NodeRankBeyondTheJob", 1, 2, [](Hello& h) { h.contract.node_rank = 4; }, {"NODE_RANK is 4"}},
        Mistake{"OtherDeviceKind",
                1,
                2,
                [](Hello& h) {
                    h.device = {"cpu", 2, {}};
                },
                {"spec.eval.inference.device", "compute on cpu, node 0 on cuda"}}),
    [](const auto& row) { return row.param.name; });

TEST(AfterAScale, ProcessesOfAnotherSizeOfTheJobAreAccepted) {
    const Hello late = cuda_hello_of(nodes + 2, procs, nodes + 1, 1);
    EXPECT_EQ(contract_violation(late, expected_of(nodes, procs, "cuda"), {good(0, 0)}), "");
}

TEST(VlmEvalKit142, RankSetToLocalRankIsNamedEvenWhenNobodyElseIsThereYet) {
    Hello hello = good(2, 1);
    hello.contract.rank = 1;
    const auto violation = contract_violation(hello, expected_of(nodes, procs, "cuda"), {});
    EXPECT_THAT(violation, HasSubstr("pid 301 on fm-2"));
    EXPECT_THAT(violation, HasSubstr("RANK is 1"));
    EXPECT_THAT(violation, HasSubstr("RANK was set to LOCAL_RANK"));
}

struct Neighbours {
    const char* name;
    std::string first_host, first_device;
    std::string second_host, second_device;
    bool clash;
};

class DeviceNames : public testing::TestWithParam<Neighbours> {};

TEST_P(DeviceNames, MeanTheSameDeviceEverywhereOnlyWhenTheyAreUuids) {
    const auto& row = GetParam();
    Hello first = cuda_hello_of(2, 1, 0, 0);
    first.host = row.first_host;
    first.device.visible = {row.first_device};
    Hello second = cuda_hello_of(2, 1, 1, 0);
    second.host = row.second_host;
    second.device.visible = {row.second_device};
    EXPECT_EQ(contract_violation(second, expected_of(2, 1, "cuda"), {first}) != "", row.clash);
}

INSTANTIATE_TEST_SUITE_P(Table, DeviceNames,
                         testing::Values(Neighbours{"IndexOnTwoHosts", "a", "0", "b", "0", false},
                                         Neighbours{"IndexOnOneHost", "a", "0", "a", "0", true},
                                         Neighbours{"TwoIndexesOnOneHost", "a", "0", "a", "1", false},
                                         Neighbours{"UuidOnTwoHosts", "a", "GPU-1", "b", "GPU-1", true},
                                         Neighbours{"MigSliceOnTwoHosts", "a", "MIG-1", "b", "MIG-1", true},
                                         Neighbours{"TwoUuids", "a", "GPU-1", "b", "GPU-2", false}),
                         [](const auto& row) { return row.param.name; });

TEST(DeviceNames, CpuProcessesShareOne) {
    EXPECT_EQ(contract_violation(hello_of(2, 2, 1, 1), expected_of(2, 2),
                                 {hello_of(2, 2, 0, 0), hello_of(2, 2, 0, 1), hello_of(2, 2, 1, 0)}),
              "");
}

struct Succession {
    const char* name;
    std::function<void(Hello&)> make;
    bool supersedes;
};

class RestartedRank : public testing::TestWithParam<Succession> {};

TEST_P(RestartedRank, SupersedesItsPredecessorOnly) {
    const Hello older = good(1, 1);
    Hello newer = good(1, 1);
    GetParam().make(newer);
    EXPECT_EQ(supersedes(newer, older), GetParam().supersedes);
    const bool accepted = contract_violation(newer, expected_of(nodes, procs, "cuda"), {older}).empty();
    EXPECT_EQ(accepted, GetParam().supersedes);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RestartedRank,
    testing::Values(Succession{"SameProcessOnAnotherConnection", [](Hello&) {}, true},
                    Succession{"RestartedInPlace",
                               [](Hello& h) {
                                   h.pid = 999;
                                   h.restart = 1;
                               },
                               true},
                    Succession{"NextAttemptOfTheNode",
                               [](Hello& h) {
                                   h.pid = 999;
                                   h.contract.attempt = 1;
                               },
                               true},
                    Succession{"NextAttemptOnAnotherHost",
                               [](Hello& h) {
                                   h.host = "elsewhere";
                                   h.contract.attempt = 1;
                               },
                               true},
                    Succession{"SecondProcessOfTheSamePlace", [](Hello& h) { h.pid = 999; }, false},
                    Succession{"SamePidOnAnotherHost", [](Hello& h) { h.host = "elsewhere"; }, false},
                    Succession{"RestartedButOfAnotherPlace",
                               [](Hello& h) {
                                   h.pid = 999;
                                   h.restart = 1;
                                   h.contract.node_rank = 0;
                               },
                               false}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::test
