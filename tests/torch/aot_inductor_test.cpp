// Engine AOTInductor with the example's network, compiled on this machine: TorchScript's labels from batches of every
// size, and what is said of packages that do not fit.
#include "evaljob-runner/engine/aot_inductor.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>

#include "evaljob-runner/engine/torchscript.hpp"
#include "tests/e2e/program.hpp"
#include "tests/torch/packages.hpp"

namespace evaljob::e2e {
namespace {

const DeviceChoice cpu{"cpu", 0, {}};

Inference up_to(int samples) {
    Inference inference;
    inference.max_batch_size = samples;
    return inference;
}

class AotInductor : public testing::Test {
protected:
    AotInductor() {
        dataset_.name = "fashion-mnist";
        dataset_.task.type = TaskType::Classification;
        std::mt19937 random(1);
        for (std::size_t i = 0; i < most_samples * pixels; ++i) noise_ += static_cast<char>(random());
    }

    void SetUp() override {
        const std::string why = no_packages();
        if (why.empty()) return;
        if (std::getenv("EVALJOB_REQUIRE_TORCHRUN") != nullptr) FAIL() << why;
        GTEST_SKIP() << why;
    }

    /// Images of noise, the same each time.
    EngineBatch batch_of(std::size_t samples) const {
        EngineBatch batch{7, &dataset_, {}};
        for (std::size_t i = 0; i < samples; ++i) {
            Request request;
            request.sample.shape = {1, 28, 28};
            request.sample.bytes = std::string_view(noise_).substr(i * pixels, pixels);
            batch.requests.push_back(std::move(request));
        }
        return batch;
    }

    std::vector<Json> labels(Engine& engine, std::size_t samples) const {
        engine.begin(batch_of(samples));
        const auto answer = engine.next();
        if (!answer) return {answer.error().message};
        std::vector<Json> found;
        for (const Prediction& prediction : answer->predictions) found.push_back(prediction.prediction);
        return found;
    }

    static constexpr std::size_t pixels = 28 * 28;
    static constexpr std::size_t most_samples = 64;
    Dataset dataset_;
    std::string noise_;
};

TEST_F(AotInductor, GivesTorchScriptsLabelsForBatchesOfEverySize) {
    const std::string path = package();
    ASSERT_FALSE(path.empty());
    auto package = load_aot_inductor(read_text(path), path, cpu, up_to(33));
    ASSERT_TRUE(package) << package.error().message;
    const std::string script = std::string(example) + "model.pt";
    auto torchscript = load_torchscript(read_text(script), script, cpu, {});
    ASSERT_TRUE(torchscript) << torchscript.error().message;
    for (const std::size_t samples : {33U, 1U, 2U, 16U, 33U})
        EXPECT_EQ(labels(**package, samples), labels(**torchscript, samples)) << samples;
    EXPECT_EQ((*package)->library(), "libtorch 2.11.0");
    EXPECT_EQ((*package)->device(), "cpu");
}

TEST_F(AotInductor, LeavesNoFileBehind) {
    const std::string path = package();
    ASSERT_FALSE(path.empty());
    std::string folder = (std::filesystem::temp_directory_path() / "evaljob-aoti-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    ::setenv("TMPDIR", folder.c_str(), 1);
    auto package = load_aot_inductor(read_text(path), path, cpu, up_to(2));
    ::unsetenv("TMPDIR");
    ASSERT_TRUE(package) << package.error().message;
    EXPECT_TRUE(std::filesystem::is_empty(folder));
    EXPECT_EQ(labels(**package, 2).size(), 2U) << "what is loaded needs its file no more";
    std::filesystem::remove_all(folder);
}

struct Row {
    const char* name;
    std::vector<std::string> options;  // of export.py
    /// Makes of the package's bytes those of the file; empty: as they are.
    std::function<std::string(std::string bytes)> spoil;
    bool as_torchscript = false;
    int batch = 16;
    std::vector<std::string> says;  // all in one message
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

/// Another value of one length in the package's metadata.
std::string with(std::string bytes, const std::string& key, const std::string& value) {
    const std::string begin = "\"" + key + "\": \"";
    std::size_t count = 0;
    for (std::size_t at = 0; (at = bytes.find(begin, at)) != std::string::npos; ++count)
        bytes.replace(at += begin.size(), value.size(), value);
    EXPECT_GT(count, 0U) << key;
    return bytes;
}

const Row rows[] = {
    {.name = "MadeForAnotherDevice",
     .spoil = [](std::string bytes) { return with(std::move(bytes), "AOTI_DEVICE_KEY", "xpu"); },
     .says = {"model.pt2 does not fit this machine: it was compiled for the device xpu, this rank computes on cpu",
              "compile it anew on a machine of this kind, with torch 2.11.0"}},
    {.name = "MadeForAnotherCpu",
     .spoil = [](std::string bytes) { return with(std::move(bytes), "AOTI_CPU_ISA", "XYZ9"); },
     .says = {"model.pt2 does not fit this machine: it was compiled for CPUs with XYZ9", "this one lacks XYZ9"}},
    {.name = "MadeForAnotherMachine",
     .spoil = [](std::string bytes) { return with(std::move(bytes), "AOTI_MACHINE", "x86_16"); },
     .says = {"does not fit this machine: it was compiled for linux on x86_16, this is linux on x86_64"}},
    {.name = "NoZip",
     .spoil = [](const std::string&) { return "weights"; },
     .says = {"model.pt2 is no AOTInductor package, or a damaged one", "aoti_compile_and_package", "libtorch says:"}},
    {.name = "Empty",
     .spoil = [](const std::string&) { return ""; },
     .says = {"model.pt2 is no AOTInductor package, or a damaged one"}},
    {.name = "Truncated",
     .spoil = [](const std::string& bytes) { return bytes.substr(0, bytes.size() / 2); },
     .says = {"model.pt2 is no AOTInductor package, or a damaged one"}},
    {.name = "WithoutItsMetadata",
     .spoil =
         [](std::string bytes) {
             for (std::size_t at = 0; (at = bytes.find("_metadata.json", at)) != std::string::npos;)
                 bytes.replace(at, 14, "_metaphor.json");
             return bytes;
         },
     .says = {"model.pt2 does not say what it was compiled for; compile it with torch 2.11.0"}},
    {.name = "ATorchScriptFile",
     .spoil = [](const std::string&) { return read_text(std::string(example) + "model.pt"); },
     .says = {"model.pt2 is a TorchScript file; set spec.eval.model.format: TorchScript"}},
    {.name = "APackageForTorchScript",
     .as_torchscript = true,
     .says = {"model.pt2 is no TorchScript file that loads on cpu; a package of AOTInductor needs "
              "spec.eval.model.format: AOTInductor"}},
    {.name = "BatchesOfOneSizeAlone",
     .options = {"--static-batch", "16"},
     .says = {"dataset fashion-mnist: the package does not take every batch of 1 to 16 samples "
              "(spec.eval.inference.maxBatchSize): expected: 16, but got: ",
              "Export it with a dynamic batch", "torch.export.Dim(\"batch\", max=N)"}},
    {.name = "BatchesThatAreTooLarge",
     .options = {"--max-batch", "32"},
     .batch = 64,
     .says = {"the package does not take every batch of 1 to 64 samples", "expected to be <= 32, but got: 64",
              "with N at least that"}},
};

class Refusal : public AotInductor, public testing::WithParamInterface<Row> {};

TEST_P(Refusal, SaysHowToMendIt) {
    const std::string made = package(GetParam().options);
    ASSERT_FALSE(made.empty());
    std::string bytes = read_text(made);
    if (GetParam().spoil) bytes = GetParam().spoil(std::move(bytes));
    auto engine = GetParam().as_torchscript ? load_torchscript(bytes, "model.pt2", cpu, {})
                                            : load_aot_inductor(bytes, "model.pt2", cpu, up_to(GetParam().batch));
    Error error;
    if (engine) {
        (*engine)->begin(batch_of(static_cast<std::size_t>(GetParam().batch)));
        const auto answer = (*engine)->next();
        ASSERT_FALSE(answer);
        error = answer.error();
    } else {
        error = engine.error();
    }
    EXPECT_EQ(error.reason, "BadInput");
    EXPECT_EQ(error.message.find('\n'), std::string::npos) << error.message;
    for (const auto& part : GetParam().says)
        EXPECT_NE(error.message.find(part), std::string::npos) << part << "\n" << error.message;
}

INSTANTIATE_TEST_SUITE_P(Table, Refusal, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::e2e
