// An image that is not ours, as local mode runs it: an unchanged PyTorch script under a bare `torchrun SCRIPT`, 2 nodes
// × 2 processes, joins up from the injected environment alone, and its JSON lines are merged. `./dev test` brings the
// torchrun; EVALJOB_TORCH_PYTHON names the folder that holds it. EVALJOB_REQUIRE_TORCHRUN: it must be there.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>

#include "evaljob-runner/storage/files.hpp"
#include "tests/e2e/evaluation.hpp"
#include "tests/places.hpp"

namespace evaljob::e2e {
namespace {

namespace fs = std::filesystem;

constexpr const char* example = EVALJOB_SOURCE_DIR "/examples/torchrun/";

std::string python_folder() {
    const char* folder = std::getenv("EVALJOB_TORCH_PYTHON");
    return folder != nullptr && fs::exists(std::string(folder) + "/torchrun") ? folder : "";
}

class Torchrun : public testing::Test {
protected:
    void SetUp() override {
        const std::string folder = python_folder();
        if (!folder.empty()) {
            ::setenv("PATH", (folder + ":" + std::getenv("PATH")).c_str(), 1);
            return;
        }
        const std::string why =
            "no torchrun in EVALJOB_TORCH_PYTHON: ./dev test brings one, unless EVALJOB_TORCH_DIR "
            "names another libtorch or the system's Python is not 3.11";
        if (std::getenv("EVALJOB_REQUIRE_TORCHRUN") != nullptr) FAIL() << why;
        GTEST_SKIP() << why;
    }

    /// The example as it is committed, with its output in the test's folder.
    std::unique_ptr<Program> start_example(const std::string& file) {
        return evaluation.run(example + file, {"--output", evaluation.output()});
    }

    Json published(const std::string& name) const {
        return Json::parse(evaluation.published().at(name), nullptr, false);
    }

    /// Where the lines that counted come from.
    std::set<std::string> files_read() const {
        const Json proof = Json::parse(read_text(evaluation.result_folder() + "/proof.json"), nullptr, false);
        std::set<std::string> names;
        for (const Json& file : proof.at("files")) {
            const auto path = file.at("path").get<std::string>();
            names.insert(path.substr(path.find("/node-") + 1));
        }
        return names;
    }

    /// kill -9 of rank 3 of the first attempt, once it has begun to write; false when none was found.
    bool kill_a_rank(Program& program) const {
        const auto begun = [&] {
            const auto files = list_files(evaluation.output() + "/runs", "rank-3.jsonl");
            return files && !files->empty();
        };
        if (!eventually([&] { return begun() || !program.running(); }, 10 * patience)) return false;
        for (const ProcessView& process : descendants(program.pid()))
            if (process.variable("RANK") == "3" && process.variable("EVALJOB_ATTEMPT") == "0" &&
                !process.variable("TORCHELASTIC_RUN_ID").empty())
                return ::kill(process.pid, SIGKILL) == 0;
        return false;
    }

    /// The same script, held until the test lets it go on, so that a rank can be killed while it evaluates.
    std::string held_job(int max_restarts) const {
        std::ofstream(evaluation.folder() + "/held.py")
            << "import os, runpy, time, torch\n"
            << "load = torch.jit.load\n"
            << "def held(*arguments, **named):\n"
            << "    model = load(*arguments, **named).eval()\n"
            << "    forward = model.forward\n"
            << "    def wait(batch):\n"
            << "        while os.environ['EVALJOB_ATTEMPT'] == '0' and os.environ['RANK'] == '3': time.sleep(0.05)\n"
            << "        return forward(batch)\n"
            << "    return type('Held', (), {'eval': lambda self: wait})()\n"
            << "torch.jit.load = held\n"
            << "runpy.run_path('" << example << "evaluate.py', run_name='__main__')\n";
        Json job = read_example();
        job["spec"]["template"]["spec"]["containers"][0]["command"] = {"torchrun", "held.py"};
        job["spec"]["restartPolicy"]["maxRestarts"] = max_restarts;
        const std::string file = evaluation.folder() + "/evaljob.json";
        std::ofstream(file) << job.dump(1);
        return file;
    }

    static Json read_example() {
        const std::string folder = "/usr/share/datasets/fashion-mnist/t10k-";
        const Json dataset = {{"name", "fashion-mnist"},
                              {"format", "IDX"},
                              {"path", folder + "images-idx3-ubyte.gz"},
                              {"labelsPath", folder + "labels-idx1-ubyte.gz"}};
        const Json runner = {{"name", "runner"}};
        return {{"apiVersion", "evaljob.dev/v1alpha1"},
                {"kind", "EvalJob"},
                {"metadata", {{"name", "held"}}},
                {"spec",
                 {{"numNodes", 2},
                  {"numProcPerNode", 2},
                  {"template", {{"spec", {{"containers", Json::array({runner})}}}}},
                  {"merge", {{"expect", {{"dataset", dataset}, {"task", {{"type", "Classification"}}}}}}},
                  {"storage", {{"path", "output"}}}}}};
    }

    Evaluation evaluation{"torchrun"};
};

std::set<std::string> files_of_attempt(int attempt) {
    const std::string folder = "/attempt-" + std::to_string(attempt) + "/rank-";
    return {"node-0" + folder + "0.jsonl", "node-0" + folder + "1.jsonl", "node-1" + folder + "2.jsonl",
            "node-1" + folder + "3.jsonl"};
}

TEST_F(Torchrun, JoinsFromTheEnvironmentAndItsLinesAreProvedAndScored) {
    ASSERT_EQ(start_example("evaljob.yaml")->wait(10 * patience), 0) << evaluation.console();
    const Json metrics = published("metrics.json");
    EXPECT_EQ(metrics.at("metrics").at(0).at("value"), "0.925600");
    EXPECT_EQ(metrics.at("samples"), 10'000);
    EXPECT_EQ(metrics.at("missing"), 0);
    EXPECT_EQ(files_read(), files_of_attempt(0));
    const std::string console = evaluation.console();
    EXPECT_NE(console.find("accuracy 0.9256"), std::string::npos) << console;
    EXPECT_NE(console.find("10,000 samples, 0 missing"), std::string::npos) << console;
}

TEST_F(Torchrun, WithoutExpectTheResultSaysThatItsCompletenessIsUnknown) {
    ASSERT_EQ(start_example("unscored.yaml")->wait(10 * patience), 0) << evaluation.console();
    const Json metrics = published("metrics.json");
    EXPECT_EQ(metrics.at("completeness"), "Unknown");
    EXPECT_FALSE(metrics.contains("missing"));
    EXPECT_EQ(metrics.at("samples"), 10'000);
    EXPECT_TRUE(metrics.at("metrics").empty());
    const std::string lines = evaluation.published()["results.jsonl"];
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 10'000);
    EXPECT_NE(evaluation.console().find("CompletenessUnknown"), std::string::npos) << evaluation.console();
}

TEST_F(Torchrun, ADeadRankStartsAllNodesAgainAndTheScoreIsTheSame) {
    auto program = evaluation.run(held_job(1));
    ASSERT_TRUE(kill_a_rank(*program)) << evaluation.console();
    ASSERT_EQ(program->wait(10 * patience), 0) << evaluation.console();
    const Json metrics = published("metrics.json");
    EXPECT_EQ(metrics.at("metrics").at(0).at("value"), "0.925600");
    EXPECT_EQ(metrics.at("missing"), 0);
    EXPECT_EQ(files_read(), files_of_attempt(1)) << "only the last attempt's lines count";
}

TEST_F(Torchrun, WhenTheRestartsAreUsedUpTheLastErrorLinesAreToldAndNothingIsPublished) {
    auto program = evaluation.run(held_job(0));
    ASSERT_TRUE(kill_a_rank(*program)) << evaluation.console();
    EXPECT_EQ(program->wait(10 * patience), 1);
    const std::string console = evaluation.console();
    EXPECT_NE(console.find("MaxRestartsExceeded"), std::string::npos) << console;
    EXPECT_NE(console.find("held.py FAILED"), std::string::npos) << "torchrun's last words\n" << console;
    EXPECT_TRUE(evaluation.published().empty());
}

}  // namespace
}  // namespace evaljob::e2e
