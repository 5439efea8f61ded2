#include "cli/job_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace evaljob {
namespace {

using testing::HasSubstr;

class JobFileTest : public testing::Test {
protected:
    JobFileTest() {
        folder_ = testing::TempDir() + "job-file-" + std::to_string(::getpid());
        std::filesystem::create_directories(folder_);
    }
    ~JobFileTest() override { std::filesystem::remove_all(folder_); }

    std::string write(const std::string& text) const {
        std::ofstream(folder_ + "/job.yaml") << text;
        return folder_ + "/job.yaml";
    }

    std::string folder_;
};

const char* const valid = R"(
apiVersion: evaljob.dev/v1alpha1
kind: EvalJob
metadata: {name: digits}
spec:
  numNodes: 2
  eval:
    model: {format: TorchScript, path: model.pt}
    datasets:
    - {name: digits, format: IDX, path: images.gz, labelsPath: /data/labels.gz, task: {type: Classification}}
)";

TEST_F(JobFileTest, IsRelativeToItsOwnFolder) {
    const auto file = read_job_file(write(valid), {});
    ASSERT_TRUE(file.has_value()) << file.error().message;
    EXPECT_EQ(file->storage_root, std::filesystem::path(folder_).lexically_normal().string());
    EXPECT_EQ(file->job.spec.num_nodes, 2);
    EXPECT_EQ(file->job.spec.storage.path, "digits");
    EXPECT_EQ(file->job.spec.eval->model.path, "model.pt");
    EXPECT_EQ(file->job.meta.ns, "default");
}

TEST_F(JobFileTest, FlagsOverrideNodesAndProcesses) {
    const auto file = read_job_file(write(valid), {.nodes = 7, .procs = 3, .output = ""});
    ASSERT_TRUE(file.has_value()) << file.error().message;
    EXPECT_EQ(file->job.spec.num_nodes, 7);
    EXPECT_EQ(file->job.spec.num_proc_per_node, 3);
}

// The bytes came back as other ones, and nothing was found below a folder that does not exist.
TEST_F(JobFileTest, APathThatIsNotUtf8IsRefused) {
    const auto output = read_job_file(write(valid), {.nodes = {}, .procs = {}, .output = "out\xff"});
    ASSERT_FALSE(output.has_value());
    EXPECT_THAT(output.error().message, HasSubstr("job.yaml: the path of --output is not UTF-8 text; rename it"));
    const std::string odd = folder_ + "/odd\xff";
    std::filesystem::create_directories(odd);
    std::ofstream(odd + "/job.yaml") << valid;
    const auto folder = read_job_file(odd + "/job.yaml", {});
    ASSERT_FALSE(folder.has_value());
    EXPECT_THAT(folder.error().message, HasSubstr("job.yaml: the path of its folder is not UTF-8 text; rename it"));
}

TEST_F(JobFileTest, AnOutputFolderOfItsOwnLeavesTheInputsWhereTheyAre) {
    const auto file = read_job_file(write(valid), {.nodes = {}, .procs = {}, .output = folder_ + "/elsewhere/out/"});
    ASSERT_TRUE(file.has_value()) << file.error().message;
    EXPECT_EQ(file->storage_root, std::filesystem::path(folder_ + "/elsewhere").lexically_normal().string());
    EXPECT_EQ(file->job.spec.storage.path, "out");
    EXPECT_EQ(file->job.spec.eval->model.path,
              std::filesystem::path(folder_ + "/model.pt").lexically_normal().string());
    EXPECT_EQ(file->job.spec.eval->datasets[0].labels_path, "/data/labels.gz");
}

TEST_F(JobFileTest, AProgramStartsInTheFilesFolderWhereverItsOutputGoes) {
    const std::string program = R"(
apiVersion: evaljob.dev/v1alpha1
kind: EvalJob
metadata: {name: qa}
spec:
  eval:
    model: {format: Command, command: [python3, answer.py]}
    datasets: [{name: qa, format: JSONL, path: qa.jsonl, task: {type: Generation}}]
)";
    const auto file = read_job_file(write(program), {.nodes = {}, .procs = {}, .output = folder_ + "/elsewhere/out"});
    ASSERT_TRUE(file.has_value()) << file.error().message;
    const std::filesystem::path folder = std::filesystem::path(folder_).lexically_normal();
    EXPECT_EQ(std::filesystem::path(file->job.spec.eval->model.path + "/").lexically_normal(), folder / "");
    EXPECT_EQ(file->job.spec.eval->datasets[0].path, (folder / "qa.jsonl").string());
}

// The scorer was looked for beside the output, when everything was evaluated.
TEST_F(JobFileTest, AScorerStartsWhereItDidWhereverItsOutputGoes) {
    const auto scored = [&](const std::string& scorer) {
        const std::string text = R"(
apiVersion: evaljob.dev/v1alpha1
kind: EvalJob
metadata: {name: qa}
spec:
  eval:
    model: {format: Command, command: [python3, answer.py]}
    datasets:
    - {name: qa, format: JSONL, path: qa.jsonl, task: {type: Generation, scorer: )" +
                                 scorer + "}}\n";
        const auto file = read_job_file(write(text), {.nodes = {}, .procs = {}, .output = folder_ + "/elsewhere/out"});
        if (!file) throw std::runtime_error(file.error().message);
        return std::filesystem::path(file->job.spec.eval->datasets[0].task.scorer->path + "/").lexically_normal();
    };
    const std::filesystem::path folder = std::filesystem::path(folder_).lexically_normal();
    EXPECT_EQ(scored("{command: [python3, score.py], scores: [right]}"), folder / "");
    EXPECT_EQ(scored("{command: [./judge], scores: [right], path: judges}"), folder / "judges/");
    EXPECT_EQ(scored("{command: [./judge], scores: [right], path: /judges}"), "/judges/");
}

TEST_F(JobFileTest, AnImageOfOnesOwnRunsInTheFilesFolderWhereverItsOutputGoes) {
    const std::string own = R"(
apiVersion: evaljob.dev/v1alpha1
kind: EvalJob
metadata: {name: own}
spec:
  template: {spec: {containers: [{name: runner, command: [./evaluate]}]}}
  merge:
    expect:
      dataset: {name: digits, format: IDX, path: images.gz, labelsPath: /data/labels.gz}
      task: {type: Classification}
)";
    const auto file = read_job_file(write(own), {.nodes = {}, .procs = {}, .output = folder_ + "/elsewhere/out"});
    ASSERT_TRUE(file.has_value()) << file.error().message;
    const std::filesystem::path folder = std::filesystem::path(folder_).lexically_normal();
    EXPECT_EQ(file->folder, folder.string());
    EXPECT_EQ(file->storage_root, (folder / "elsewhere").string());
    EXPECT_EQ(file->job.spec.merge.expect->path, (folder / "images.gz").string());
    EXPECT_EQ(file->job.spec.merge.expect->labels_path, "/data/labels.gz");
}

TEST_F(JobFileTest, EveryViolationIsLedByTheFile) {
    const std::string path =
        write("apiVersion: evaljob.dev/v1alpha1\nkind: EvalJob\nmetadata: {name: x}\nspec: {numNode: 3}\n");
    const auto file = read_job_file(path, {.nodes = 0, .procs = {}, .output = ""});
    ASSERT_FALSE(file.has_value());
    EXPECT_THAT(file.error().message, HasSubstr(path + ": spec.numNode: unknown field; did you mean numNodes?"));
    EXPECT_THAT(file.error().message, HasSubstr("\n" + path + ": spec.template.spec.containers: without eval"));
    EXPECT_THAT(file.error().message, HasSubstr(path + ": spec.numNodes: must be"));
}

TEST_F(JobFileTest, AMissingFileIsNamed) {
    const auto file = read_job_file(folder_ + "/none.yaml", {});
    ASSERT_FALSE(file.has_value());
    EXPECT_THAT(file.error().message, HasSubstr(folder_ + "/none.yaml"));
}

}  // namespace
}  // namespace evaljob
