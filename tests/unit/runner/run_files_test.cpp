// The run's Secret as files: taken when they are what the Pod was made for, else refused with what to do.
#include "evaljob-runner/launch/run_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "api/digest.hpp"
#include "api/json.hpp"
#include "evaljob-runner/launch/exit_status.hpp"
#include "temporary_folder.hpp"

namespace evaljob {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class RunFiles : public testing::Test {
public:
    RunFiles() {
        Eval eval;
        eval.model.format = ModelFormat::Command;
        eval.model.command = {"answer", "$$x$$", "$(NODE_RANK)"};
        Dataset dataset;
        dataset.name = "qa";
        dataset.format = DatasetFormat::JSONL;
        dataset.path = "$$d/qa.jsonl";
        dataset.task.type = TaskType::Generation;
        dataset.task.metrics = {TaskMetric::ExactMatch};
        eval.datasets.push_back(dataset);
        spec = eval_to_json(eval).dump();
        write("spec", spec);
        write("token", "0123");
        environment = {{"EVALJOB_RUN_FOLDER", folder.path()}, {"EVALJOB_SPEC_SHA256", sha256_hex(spec)}};
    }
    void write(const std::string& name, const std::string& content) const {
        std::ofstream(folder.path() + "/" + name, std::ios::binary) << content;
    }

    test::TemporaryFolder folder;
    std::string spec;
    Environment environment;
};

TEST_F(RunFiles, AreReadAsTheyWereWritten) {
    EXPECT_EQ(read_run_spec(environment).value(), spec);
    EXPECT_EQ(read_run_token(environment).value(), "0123");
    const auto eval = read_run_eval(environment);
    ASSERT_TRUE(eval) << eval.error().message;
    EXPECT_EQ(eval->model.command, (std::vector<std::string>{"answer", "$$x$$", "$(NODE_RANK)"}));
    EXPECT_EQ(eval->datasets[0].path, "$$d/qa.jsonl");
}

TEST_F(RunFiles, ThatAreNotWhatThePodWasMadeForAreRefused) {
    struct Row {
        const char* name;
        std::function<void(RunFiles&)> happens;
        const char* said;
    };
    const std::vector<Row> rows{
        {"another spec", [](RunFiles& run) { run.write("spec", run.spec + " "); }, "is not the spec that this Pod was"},
        {"a spec beyond the limit", [](RunFiles& run) { run.write("spec", std::string(1'000'001, ' ')); }, "/spec"},
        {"no spec", [](RunFiles& run) { std::filesystem::remove(run.folder.path() + "/spec"); }, "/spec"},
        {"no digest", [](RunFiles& run) { run.environment.erase("EVALJOB_SPEC_SHA256"); },
         "EVALJOB_SPEC_SHA256 is not set"},
        {"a spec that this version does not know",
         [](RunFiles& run) {
             run.write("spec", "{}");
             run.environment["EVALJOB_SPEC_SHA256"] = sha256_hex("{}");
         },
         "spec.eval.model: required"}};
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        write("spec", spec);
        environment["EVALJOB_SPEC_SHA256"] = sha256_hex(spec);
        row.happens(*this);
        const auto eval = read_run_eval(environment);
        ASSERT_FALSE(eval);
        EXPECT_THAT(eval.error().message, AllOf(HasSubstr(row.said), HasSubstr("EvalJob")));
        EXPECT_EQ(exit_status_of(eval.error()), exit_code::contract);
    }
    std::filesystem::remove(folder.path() + "/token");
    EXPECT_EQ(exit_status_of(read_run_token(environment).error()), exit_code::contract);
}

}  // namespace
}  // namespace evaljob
