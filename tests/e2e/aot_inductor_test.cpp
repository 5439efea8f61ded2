// Engine AOTInductor with the example's network, compiled on this machine: the same labels as TorchScript's, the same
// bytes from every number of ranks, and what is said of packages that do not fit. `./dev test` brings the Python that
// compiles them; EVALJOB_TORCH_PYTHON names its folder. EVALJOB_REQUIRE_TORCHRUN: it must be there.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "api/digest.hpp"
#include "tests/e2e/evaluation.hpp"

namespace evaljob::e2e {
namespace {

namespace fs = std::filesystem;

constexpr const char* example = EVALJOB_SOURCE_DIR "/examples/fashion-mnist/";

std::string python() {
    const char* folder = std::getenv("EVALJOB_TORCH_PYTHON");
    if (folder == nullptr) return "";
    const std::string program = std::string(folder) + "/python";
    static const bool compiles =
        fs::exists(program) &&
        Program({program, "-c", "import torch, sympy, networkx, jinja2, filelock, fsspec"}, "/dev/null").wait() == 0;
    return compiles ? program : "";
}

/// One at a time, whichever of this machine's test programs asks.
class Locked {
public:
    explicit Locked(const std::string& path) : file_(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
        ::flock(file_, LOCK_EX);
    }
    ~Locked() { ::close(file_); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

private:
    int file_;
};

/// The example compiled with export.py; made once for this script, model and Python. Empty when that fails.
std::string package(const std::vector<std::string>& options = {}) {
    std::string key = read_text(std::string(example) + "export.py") + read_text(std::string(example) + "train.py") +
                      read_text(std::string(example) + "model.pt") + fs::canonical(python()).string() + python();
    std::vector<std::string> command{python(), std::string(example) + "export.py"};
    for (const auto& option : options) {
        key += " " + option;
        command.push_back(option);
    }
    const std::string folder = EVALJOB_BIN_DIR "/../packages";
    fs::create_directories(folder);
    const std::string path = folder + "/" + sha256_hex(key).substr(0, 16) + ".pt2";
    const Locked lock(path + ".lock");
    if (fs::exists(path)) return path;
    const std::string made = path + ".new.pt2";
    command.insert(command.end(), {"--out", made});
    const int status = Program(command, path + ".log").wait();
    EXPECT_EQ(status, 0) << read_text(path + ".log");
    if (status != 0) return "";
    fs::rename(made, path);
    return path;
}

class AotInductor : public testing::Test {
protected:
    void SetUp() override {
        if (!python().empty()) return;
        const std::string why =
            "no Python with torch, sympy, networkx, jinja2, filelock and fsspec in EVALJOB_TORCH_PYTHON: ./dev test "
            "brings one, unless EVALJOB_TORCH_DIR "
            "names another libtorch or the system's Python is not 3.11";
        if (std::getenv("EVALJOB_REQUIRE_TORCHRUN") != nullptr) FAIL() << why;
        GTEST_SKIP() << why;
    }

    static Json job(const Shape& shape, const std::string& model, const std::string& format = "AOTInductor") {
        Json object = evaljob_object(shape);
        object["spec"]["eval"]["model"] = {{"format", format}, {"path", model}};
        return object;
    }
};

/// Predictions by id.
std::map<std::string, Json> labels(const std::map<std::string, std::string>& published) {
    std::map<std::string, Json> found;
    std::istringstream lines(published.at("results.jsonl"));
    for (std::string line; std::getline(lines, line);) {
        const Json object = Json::parse(line);
        found[object.at("id").get<std::string>()] = object.at("prediction");
    }
    return found;
}

TEST_F(AotInductor, GivesTorchScriptsLabelsAndTheSameBytesFromEveryNumberOfRanks) {
    const std::string model = package();
    ASSERT_FALSE(model.empty());
    // 1,001 samples: the last batch has one.
    const Shape one{.nodes = 1, .procs = 1, .limit = 1001, .batch = 20};
    const Shape four{.nodes = 2, .procs = 2, .limit = 1001, .batch = 20};
    Evaluation alone("aoti");
    ASSERT_EQ(alone.start_text(job(one, model).dump())->wait(), 0) << alone.console();
    Evaluation many("aoti4");
    ASSERT_EQ(many.start_text(job(four, model).dump())->wait(), 0) << many.console();
    EXPECT_EQ(many.published(), alone.published());
    EXPECT_EQ(many.result_folder().substr(many.output().size()), alone.result_folder().substr(alone.output().size()));
    const auto found = labels(alone.published());
    EXPECT_EQ(found.size(), 1001U);
    EXPECT_EQ(found, labels(undisturbed(one).published));
}

TEST_F(AotInductor, OfTheSameNetworkIsAnotherEvaluationThanTorchScript) {
    const std::string model = package();
    ASSERT_FALSE(model.empty());
    const Shape small{.nodes = 1, .procs = 1, .limit = 64};
    Evaluation evaluation("aoti-other");
    ASSERT_EQ(evaluation.start(small)->wait(), 0) << evaluation.console();
    EXPECT_EQ(evaluation.start_text(job(small, model).dump())->wait(), 1);
    EXPECT_NE(evaluation.console().find("holds the results of another evaluation"), std::string::npos);
}

struct Row {
    const char* name;
    std::vector<std::string> options;  // of export.py
    /// Makes of the package's bytes those of the file; empty: as they are.
    std::function<std::string(std::string bytes)> spoil;
    std::string file = "model.pt2";
    std::string format = "AOTInductor";
    int batch = 16;
    std::vector<std::string> says;
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
     .format = "TorchScript",
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

TEST_P(Refusal, IsOneLineThatSaysHowToMendIt) {
    const std::string made = package(GetParam().options);
    ASSERT_FALSE(made.empty());
    Evaluation evaluation("aoti-bad");
    std::string bytes = read_text(made);
    if (GetParam().spoil) bytes = GetParam().spoil(std::move(bytes));
    std::ofstream(evaluation.folder() + "/" + GetParam().file, std::ios::binary) << bytes;
    const Shape small{.nodes = 1, .procs = 1, .limit = 128, .batch = GetParam().batch};
    EXPECT_EQ(evaluation.start_text(job(small, GetParam().file, GetParam().format).dump())->wait(), 1);
    const std::string console = evaluation.console();
    for (const auto& part : GetParam().says)
        EXPECT_NE(console.find(part), std::string::npos) << part << "\n" << console;
    EXPECT_NE(console.find("exited 12"), std::string::npos) << console;
    EXPECT_TRUE(evaluation.published().empty());
}

INSTANTIATE_TEST_SUITE_P(Table, Refusal, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::e2e
