#include "evaljob-runner/launch/device.hpp"

#include <gtest/gtest.h>

namespace evaljob::test {
namespace {

using Names = std::vector<std::string>;

struct Choice {
    const char* name;
    Device wanted;
    std::int32_t local_rank;
    std::int32_t local_world_size;
    Names visible;
    DeviceChoice expected;
    std::int32_t each = 0;  // inference.devicesPerRank; 0: absent
};

class ChooseDevice : public testing::TestWithParam<Choice> {};

TEST_P(ChooseDevice, TakesTheOneAtTheLocalRank) {
    const auto& row = GetParam();
    Eval eval;
    eval.inference.device = row.wanted;
    if (row.each > 0) eval.inference.devices_per_rank = row.each;
    const auto choice = choose_device(eval, row.local_rank, row.local_world_size, row.visible);
    EXPECT_EQ(choice.kind, row.expected.kind);
    EXPECT_EQ(choice.index, row.expected.index);
    EXPECT_EQ(choice.count, row.expected.count);
    EXPECT_EQ(choice.visible, row.expected.visible);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ChooseDevice,
    testing::Values(
        Choice{"AutoWithoutAny", Device::Auto, 1, 2, {}, {"cpu", 1, {}}},
        Choice{"AutoWithOneForEach", Device::Auto, 1, 2, {"0", "1"}, {"cuda", 1, {"0", "1"}}},
        Choice{"AutoWithMore", Device::Auto, 0, 1, {"0", "1"}, {"cuda", 0, {"0", "1"}}},
        // All of a node or none: a node of two kinds would give two kinds of bytes.
        Choice{"AutoWithTooFewForTheFirst", Device::Auto, 0, 2, {"0"}, {"cpu", 0, {}}},
        Choice{"AutoWithTooFewForTheLast", Device::Auto, 1, 2, {"0"}, {"cpu", 1, {}}},
        Choice{"Cuda", Device::CUDA, 1, 2, {"GPU-a", "GPU-b"}, {"cuda", 1, {"GPU-a", "GPU-b"}}},
        // The check of the contract then says what is missing; falling back quietly would change the bytes.
        Choice{"CudaWithoutAny", Device::CUDA, 0, 1, {}, {"cuda", 0, {}}},
        Choice{"CudaWithTooFew", Device::CUDA, 2, 3, {"0"}, {"cuda", 2, {"0"}}},
        Choice{"TwoForEach", Device::Auto, 1, 2, {"0", "1", "2", "3"}, {"cuda", 2, {"0", "1", "2", "3"}, 2}, 2},
        Choice{"AutoWithTooFewForTwoEach", Device::Auto, 0, 2, {"0", "1", "2"}, {"cpu", 0, {}}, 2},
        Choice{"CudaWithTooFewForTwoEach", Device::CUDA, 1, 2, {"0", "1", "2"}, {"cuda", 2, {"0", "1", "2"}, 2}, 2},
        Choice{"CpuWithGpusThere", Device::CPU, 1, 2, {"0", "1"}, {"cpu", 1, {}}}),
    [](const auto& row) { return row.param.name; });

struct Shown {
    const char* name;
    const char* variable;  // CUDA_VISIBLE_DEVICES; null: not set
    Names expected;
};

class VisibleDevices : public testing::TestWithParam<Shown> {};

TEST_P(VisibleDevices, AreAsCudaReadsItsVariable) {
    Environment environment{{"EVALJOB_TEST_GPUS", "GPU-a,GPU-b"}};
    if (GetParam().variable != nullptr) environment["CUDA_VISIBLE_DEVICES"] = GetParam().variable;
    EXPECT_EQ(visible_devices(environment), GetParam().expected);
    EXPECT_TRUE(devices_are_pretended(environment));
}

INSTANTIATE_TEST_SUITE_P(Table, VisibleDevices,
                         testing::Values(Shown{"AllWithoutTheVariable", nullptr, {"GPU-a", "GPU-b"}},
                                         Shown{"NamedInItsOrder", "GPU-b,GPU-a", {"GPU-b", "GPU-a"}},
                                         Shown{"One", "3", {"3"}}, Shown{"NoneByAnEmptyOne", "", {}},
                                         Shown{"NoneByMinusOne", "-1", {}},
                                         Shown{"NoneBehindMinusOne", "1,-1,0", {"1"}}),
                         [](const auto& row) { return row.param.name; });

TEST(DeviceOfOpenAI, IsNoneForTheServerHasThem) {
    Eval eval;
    eval.inference.device = Device::CUDA;
    eval.model.format = ModelFormat::OpenAI;
    EXPECT_EQ(choose_device(eval, 0, 1, {"0"}).kind, "cpu");
}

TEST(VisibleDevices, AreNotPretendedOnAUsersMachine) { EXPECT_FALSE(devices_are_pretended({})); }

}  // namespace
}  // namespace evaljob::test
