// What a run is told: the same text for the same spec, up to a limit that validation names.
#include "api/run_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/digest.hpp"
#include "api/json.hpp"
#include "tests/fashion_job.hpp"

namespace evaljob {
namespace {

using testing::HasSubstr;

Json server_job() {
    Json job = test::fashion_job("demo", 1);
    Json& eval = job["spec"]["eval"];
    eval["model"] = {{"format", "OpenAI"}, {"url", "http://localhost:8000/v1"}, {"name", "m"}};
    eval["datasets"] =
        Json::array({{{"name", "qa"}, {"format", "JSONL"}, {"path", "qa.jsonl"}, {"task", {{"type", "Generation"}}}}});
    return job;
}

TEST(RunSpec, SaysWhatIsWrittenByteForByteWithTheDefaults) {
    Json job = server_job();
    const std::string prompt = "$$x^2$$ $(NODE_RANK) \"quoted\" \\ \x01\x1f\x7f\n é😀 {question}";
    job["spec"]["eval"]["datasets"][0]["task"]["prompt"] = prompt;
    const auto parsed = parse_evaljob(job);
    ASSERT_TRUE(parsed) << parsed.error().message;
    const Json said = Json::parse(run_spec::text(parsed->spec));
    EXPECT_EQ(said["datasets"][0]["task"]["prompt"], prompt);
    EXPECT_EQ(said["inference"]["seed"], 0) << "a default";
    EXPECT_EQ(parse_eval(said, "spec.eval").value(), *parsed->spec.eval);
}

TEST(RunSpec, OfAnImageIsWhatItHasToHold) {
    Json job = test::fashion_job("demo", 1);
    const Json dataset = job["spec"]["eval"]["datasets"][0];
    job["spec"].erase("eval");
    job["spec"]["template"] = {{"spec", {{"containers", Json::array({{{"name", "runner"}, {"image", "torch"}}})}}}};
    EXPECT_EQ(run_spec::text(parse_evaljob(job)->spec), "null");
    Json of_dataset = dataset;
    of_dataset.erase("task");
    job["spec"]["merge"]["expect"] = {{"dataset", of_dataset}, {"task", dataset["task"]}};
    const auto parsed = parse_evaljob(job);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parse_expect(Json::parse(run_spec::text(parsed->spec)), "expect").value(), *parsed->spec.merge.expect);
}

/// With as many datasets and so long prompts that the text has about so many bytes.
Json long_job(std::size_t bytes) {
    Json job = server_job();
    Json& datasets = job["spec"]["eval"]["datasets"];
    const Json one = datasets[0];
    constexpr std::size_t most = 65'536;  // characters of a prompt
    for (std::size_t left = bytes, i = 0; left > 0; ++i) {
        const std::size_t length = std::min(left, most);
        datasets[i] = one;
        datasets[i]["name"] = "qa-" + std::to_string(i);
        datasets[i]["task"]["prompt"] = std::string(length, 'x');
        left -= length;
    }
    return job;
}

TEST(RunSpec, AMillionBytesAreTaken_RegressionAnArgumentListThatWasTooLong) {
    Json job = long_job(990'000);
    const auto parsed = parse_evaljob(job);
    ASSERT_TRUE(parsed) << parsed.error().message.substr(0, 500);
    EXPECT_GT(run_spec::text(parsed->spec).size(), 990'000U);
    EXPECT_LE(run_spec::text(parsed->spec).size(), run_spec::max_bytes);
    const auto refused = parse_evaljob(long_job(1'005'000));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("spec.eval: must have at most 1000000 bytes as JSON"));
}

struct Argument {
    const char* name;
    const char* at;  // a JSON pointer
    const char* field;
};
void PrintTo(const Argument& row, std::ostream* out) { *out << row.name; }
class LongArgument : public testing::TestWithParam<Argument> {};

TEST_P(LongArgument, IsRefusedBeforeAProgramIsStartedWithIt) {
    Json job = server_job();
    job["spec"]["template"]["spec"] = Json::parse(R"({
        "initContainers": [{"name": "fetch", "image": "i", "command": ["a", "b"]}],
        "containers": [{"name": "runner", "args": ["x"], "env": [{"name": "TEXT", "value": "x"}]}]})");
    std::string text;
    for (int i = 0; i < 44'000; ++i) text += "€";  // 132,000 bytes, no more characters than a field may have
    job[Json::json_pointer(GetParam().at)] = text;
    const auto refused = parse_evaljob(job);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message,
                testing::StartsWith(std::string(GetParam().field) + ": must have at most 131071 bytes"));
    job[Json::json_pointer(GetParam().at)] = text.substr(0, 120'000);
    EXPECT_TRUE(parse_evaljob(job));
}

INSTANTIATE_TEST_SUITE_P(Rows, LongArgument,
                         testing::Values(Argument{"Command", "/spec/template/spec/initContainers/0/command/1",
                                                  "spec.template.spec.initContainers[0].command[1]"},
                                         Argument{"Args", "/spec/template/spec/containers/0/args/0",
                                                  "spec.template.spec.containers[0].args[0]"},
                                         Argument{"Variable", "/spec/template/spec/containers/0/env/0/value",
                                                  "spec.template.spec.containers[0].env[0].value"}),
                         [](const auto& row) { return row.param.name; });

TEST(RunSpec, APromptOfItsFullLengthIsTaken_RegressionTheStackOverflowed) {
    Json job = server_job();
    std::string prompt;
    for (int i = 0; i < 65'536; ++i) prompt += "😀";
    job["spec"]["eval"]["datasets"][0]["task"]["prompt"] = prompt;
    const auto parsed = parse_evaljob(job);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->spec.eval->datasets[0].task.prompt, prompt);
    prompt += "x";
    job["spec"]["eval"]["datasets"][0]["task"]["prompt"] = prompt;
    EXPECT_THAT(parse_evaljob(job).error().message, HasSubstr("must have at most 65536 characters, has 65537"));
    job["spec"]["eval"]["datasets"][0]["task"]["prompt"] = std::string("a\0b", 3);
    EXPECT_THAT(parse_evaljob(job).error().message, HasSubstr("without NUL characters"));
}

}  // namespace
}  // namespace evaljob
