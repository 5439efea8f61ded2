#include "evaljob-runner/engine/package_fit.hpp"

#include <gmock/gmock.h>

#include "evaljob-runner/engine/cuda_capability.hpp"

namespace evaljob::test {
namespace {

const PackageMetadata for_cpu{{"AOTI_DEVICE_KEY", "cpu"},
                              {"AOTI_PLATFORM", "linux"},
                              {"AOTI_MACHINE", "x86_64"},
                              {"AOTI_CPU_ISA", "AVX2"},
                              {"AOTI_COMPUTE_CAPABILITY", ""}};
const Machine cpu{"linux", "x86_64", {"fpu", "avx2", "fma", "f16c"}, "cpu", 0};

struct Row {
    const char* name;
    PackageMetadata changed;  // of for_cpu; an empty text takes the key away
    Machine machine;
    std::string why;  // empty: it fits
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

Machine with_flags(std::set<std::string> flags) {
    Machine machine = cpu;
    machine.cpu_flags = std::move(flags);
    return machine;
}

Machine with_gpu(int capability) {
    Machine machine = cpu;
    machine.device = "cuda";
    machine.compute_capability = capability;
    return machine;
}

PackageMetadata for_gpu(const std::string& capability) {
    return {{"AOTI_DEVICE_KEY", "cuda"}, {"AOTI_COMPUTE_CAPABILITY", capability}};
}

const std::set<std::string> avx512{"avx2", "fma", "f16c", "avx512f", "avx512dq", "avx512vl", "avx512bw"};

const Row rows[] = {
    {"TheMachineThatItWasMadeOn", {}, cpu, ""},
    {"AMachineWithMore", {}, with_flags(avx512), ""},
    {"NoVectorInstructions", {{"AOTI_CPU_ISA", "INVALID_VEC_ISA"}}, with_flags({"fpu"}), ""},
    {"NewerInstructions",
     {{"AOTI_CPU_ISA", "AVX512 AVX512_VNNI"}},
     cpu,
     "it was compiled for CPUs with AVX512 AVX512_VNNI, this one lacks avx512f, avx512dq, avx512vl, avx512bw, "
     "avx512_vnni"},
    {"OneInstructionTooFew",
     {{"AOTI_CPU_ISA", "AVX512 AVX512_VNNI"}},
     with_flags(avx512),
     "it was compiled for CPUs with AVX512 AVX512_VNNI, this one lacks avx512_vnni"},
    {"InstructionsThatNobodyKnows",
     {{"AOTI_CPU_ISA", "AVX9"}},
     cpu,
     "it was compiled for CPUs with AVX9, this one lacks AVX9"},
    {"AnotherCpu",
     {{"AOTI_MACHINE", "aarch64"}, {"AOTI_CPU_ISA", "ASIMD"}},
     cpu,
     "it was compiled for linux on aarch64, this is linux on x86_64"},
    {"AnotherSystem",
     {{"AOTI_PLATFORM", "win32"}},
     cpu,
     "it was compiled for win32 on x86_64, this is linux on x86_64"},
    {"NoInstructions", {{"AOTI_CPU_ISA", ""}}, cpu, "it does not say for which CPU it was compiled"},
    {"NoDevice", {{"AOTI_DEVICE_KEY", ""}}, cpu, "it does not say for which device it was compiled"},
    {"GpuCodeOnACpu", for_gpu("90"), cpu, "it was compiled for the device cuda, this rank computes on cpu"},
    {"CpuCodeOnAGpu", {}, with_gpu(90), "it was compiled for the device cpu, this rank computes on cuda"},
    {"TheSameGpu", for_gpu("90"), with_gpu(90), ""},
    {"ANewerGpuOfTheSameKind", for_gpu("80"), with_gpu(86), ""},
    {"AnOlderGpu", for_gpu("89"), with_gpu(86), "it was compiled for GPUs of compute capability 8.9, this one has 8.6"},
    {"AGpuOfAnotherKind", for_gpu("90"), with_gpu(100),
     "it was compiled for GPUs of compute capability 9.0, this one has 10.0"},
    {"NoGpuNamed", for_gpu("gfx942"), with_gpu(90), "it does not say for which GPU it was compiled"},
    {"GpuCodeForAnotherCpu",
     {{"AOTI_DEVICE_KEY", "cuda"}, {"AOTI_COMPUTE_CAPABILITY", "90"}, {"AOTI_CPU_ISA", "AVX512"}},
     with_gpu(90),
     "it was compiled for CPUs with AVX512, this one lacks avx512f, avx512dq, avx512vl, avx512bw"},
};

class PackageFit : public testing::TestWithParam<Row> {};

TEST_P(PackageFit, IsDecidedFromWhatTheCompilerNoted) {
    PackageMetadata package = for_cpu;
    for (const auto& [key, value] : GetParam().changed) package[key] = value;
    std::erase_if(package, [](const auto& entry) { return entry.second.empty(); });
    EXPECT_EQ(misfit(package, GetParam().machine).value_or(""), GetParam().why);
}

INSTANTIATE_TEST_SUITE_P(Table, PackageFit, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

TEST(PackageMetadata, IsAnObjectOfTexts) {
    EXPECT_EQ(parse_package_metadata(R"({"AOTI_DEVICE_KEY": "cpu", "mine": "x"})"),
              (PackageMetadata{{"AOTI_DEVICE_KEY", "cpu"}, {"mine", "x"}}));
    EXPECT_EQ(parse_package_metadata("[]").error().message, "its metadata is no JSON object");
    EXPECT_EQ(parse_package_metadata("{\"a\"").error().message, "its metadata is no JSON object");
    EXPECT_EQ(parse_package_metadata(R"({"AOTI_DEVICE_KEY": 1})").error().message,
              "its metadata has a AOTI_DEVICE_KEY that is no text");
}

TEST(ComputeCapability, IsTheDriversOrAnError) {
    const auto capability = compute_capability(0);
    if (!capability) {
        EXPECT_EQ(capability.error().reason, "BadInput");
        GTEST_SKIP() << "no CUDA device: " << capability.error().message;
    }
    EXPECT_GE(*capability, 30);
    EXPECT_EQ(compute_capability(4096).error().message, "the CUDA driver does not tell of GPU 4096");
}

}  // namespace
}  // namespace evaljob::test
