// What a person sees of a run in which everything that comes from others is hostile: ids, groups, class names, errors,
// and what programs say. With the real programs; the bytes of the terminal are looked at.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "api/printable.hpp"
#include "tests/e2e/evaluation.hpp"
#include "tests/places.hpp"

namespace evaljob::e2e {
namespace {

using testing::HasSubstr;

const std::string forged =
    "\r\n\x1b[2K\x1b[1A\xc2\x9b"
    "2JFORGED accuracy 1.0000\xe2\x80\xae\x07";

std::string without(std::string text, const std::string& part) {
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at)) text.erase(at, part.size());
    return text;
}

/// Every line in which something acts instead of being seen, and every line that others began.
std::vector<std::string> acting_lines(const std::string& bytes) {
    std::vector<std::string> found;
    // The bar is redrawn in its place, and a terminal's lines end so.
    std::istringstream lines(without(without(bytes, "\r\x1b[K"), "\r"));
    for (std::string line; std::getline(lines, line);)
        if (printable(line) != line || line.starts_with("FORGED")) found.push_back(printable(line));
    // No carriage return but those.
    std::string rest = without(without(bytes, "\r\x1b[K"), "\r\n");
    if (rest.find('\r') != std::string::npos) found.push_back("a carriage return: " + printable(rest));
    return found;
}

Json question_job(const std::string& program, const std::string& scorer) {
    Json task = {{"type", "Generation"}, {"groupBy", "kind"}};
    if (!scorer.empty()) task["scorer"] = {{"command", {"python3", "hostile.py", scorer}}, {"scores", {"right"}}};
    const Json dataset = {{"name", "questions"}, {"format", "JSONL"}, {"path", "questions.jsonl"}, {"task", task}};
    return {{"apiVersion", "evaljob.dev/v1alpha1"},
            {"kind", "EvalJob"},
            {"metadata", {{"name", "qa"}}},
            {"spec",
             {{"restartPolicy", {{"maxRestarts", 0}}},
              {"eval",
               {{"model", {{"format", "Command"}, {"command", {"python3", "hostile.py", program}}}},
                {"datasets", Json::array({dataset})},
                {"inference", {{"device", "CPU"}}}}},
              {"merge", {{"backoffLimit", 0}}},
              {"storage", {{"path", "output"}}}}}};
}

struct Hostile {
    const char* name;
    const char* program;
    const char* scorer;
    int status;
    const char* says;  // among other things
};
void PrintTo(const Hostile& row, std::ostream* out) { *out << row.name; }

class HostileRun : public testing::TestWithParam<Hostile> {
protected:
    HostileRun() : evaluation_("terminal") {
        std::ofstream lines(evaluation_.folder() + "/questions.jsonl", std::ios::binary);
        for (int i = 0; i < 4; ++i)
            lines << Json{{"id", std::to_string(i) + forged}, {"kind", "group" + forged}, {"target", "yes"}}.dump()
                  << "\n";
        std::ofstream(evaluation_.folder() + "/hostile.py", std::ios::binary)
            << read_text(EVALJOB_SOURCE_DIR "/tests/e2e/hostile.py");
        std::ofstream(evaluation_.file(), std::ios::binary)
            << question_job(GetParam().program, GetParam().scorer).dump(1);
    }

    /// On a terminal of its own.
    int run_on_a_terminal() {
        const std::vector<std::string> command{
            "/usr/bin/python3",
            "-c",
            "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))",
            EVALJOB_BIN_DIR "/evaljob",
            "run",
            "-f",
            evaluation_.file()};
        return Program(command, evaluation_.folder() + "/console").wait();
    }

    void expect_harmless(int status) {
        EXPECT_EQ(status, GetParam().status) << evaluation_.console();
        EXPECT_THAT(evaluation_.console(), HasSubstr(GetParam().says));
        EXPECT_THAT(acting_lines(evaluation_.console()), testing::IsEmpty());
    }

    Evaluation evaluation_;
};

TEST_P(HostileRun, WritesNothingOnATerminalThatActs) { expect_harmless(run_on_a_terminal()); }

TEST_P(HostileRun, WritesNoLineOfItsOwnIntoAFileOrALog) {
    expect_harmless(evaluation_.run(evaluation_.file())->wait());
    for (const auto& log : std::filesystem::directory_iterator(evaluation_.output() + "/local/logs")) {
        if (log.path().string().find("merge") != std::string::npos) continue;  // a scorer's own words are its log
        EXPECT_THAT(acting_lines(read_text(log.path().string())), testing::IsEmpty()) << log.path();
    }
    const auto json = evaluation_.run(evaluation_.file(), {"--json"});
    EXPECT_EQ(json->wait(), GetParam().status);
    EXPECT_THAT(acting_lines(evaluation_.console()), testing::IsEmpty());
    const std::string console = evaluation_.console();  // of both runs
    const auto last = console.rfind('\n', console.size() - 2);
    EXPECT_EQ(Json::parse(console.substr(last + 1))["type"], "end");
}

INSTANTIATE_TEST_SUITE_P(Table, HostileRun,
                         testing::Values(Hostile{"AnswersAndGroups", "answers", "", 0,
                                                 "group\\r\\n\\x1b[2K\\x1b[1A\\u009b2JFORGED accuracy"},
                                         Hostile{"IdsAndErrorsOfSamples", "fails", "", 1, "0\\r\\n\\x1b[2K"},
                                         Hostile{"AProgramThatDies", "dies", "", 1, "Failed: "},
                                         Hostile{"AScorerThatFails", "answers", "fails", 1,
                                                 "task.scorer.command: python3: sample 0\\r\\n"}),
                         [](const auto& row) { return row.param.name; });

TEST(HostileClasses, AreNamesAndNothingElse) {
    Evaluation evaluation("terminal");
    Json job = evaljob_object({.nodes = 1, .procs = 1, .limit = 50});
    Json classes = Json::array();
    for (int i = 0; i < 10; ++i) classes.push_back("class " + std::to_string(i) + forged);
    job["spec"]["eval"]["datasets"][0]["task"]["classes"] = classes;
    ASSERT_EQ(evaluation.start_text(job.dump())->wait(), 0) << evaluation.console();
    EXPECT_THAT(evaluation.console(), HasSubstr("class 9\\r\\n\\x1b[2K\\x1b[1A\\u009b2JFORGED accuracy"));
    EXPECT_THAT(acting_lines(evaluation.console()), testing::IsEmpty());
    // The page, too: directions of writing would turn what stands behind them.
    const std::string report = read_text(evaluation.result_folder() + "/report.html");
    EXPECT_THAT(report, HasSubstr("class 9\\r\\n\\x1b[2K"));
    EXPECT_EQ(report.find("\xe2\x80\xae"), std::string::npos);
    EXPECT_EQ(report.find('\x1b'), std::string::npos);
}

TEST(HostileFile, PrintsNoLineOfItsOwn) {
    Evaluation evaluation("terminal");
    const Json job = {{"apiVersion", "evaljob.dev/v1alpha1"},
                      {"kind", "EvalJob"},
                      {"metadata", {{"name", "x" + forged}}},
                      {"spec", {{forged, 1}}}};
    EXPECT_EQ(evaluation.start_text(job.dump())->wait(), 2);
    EXPECT_THAT(evaluation.console(), HasSubstr("spec.\\r\\n\\x1b[2K"));
    EXPECT_THAT(acting_lines(evaluation.console()), testing::IsEmpty());
}

struct Typed {
    const char* name;
    std::vector<std::string> arguments;
    const char* says;
};
void PrintTo(const Typed& row, std::ostream* out) { *out << row.name; }

class TypedCommand : public testing::TestWithParam<Typed> {};

TEST_P(TypedCommand, IsToldWhatIsWrongWithIt) {
    Evaluation evaluation("terminal");
    std::vector<std::string> command{EVALJOB_BIN_DIR "/evaljob"};
    command.insert(command.end(), GetParam().arguments.begin(), GetParam().arguments.end());
    EXPECT_EQ(Program(command, evaluation.folder() + "/console").wait(), 2);
    EXPECT_THAT(evaluation.console(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Table, TypedCommand,
    testing::Values(Typed{"Mistyped", {"valdate", "-f", "x"}, "there is no command valdate; did you mean validate?"},
                    Typed{"NoneLikeIt", {"status"}, "there is no command status; there are run, validate, explain"},
                    Typed{"AFileForACommand", {"evaljob.yaml"}, "there is no command evaljob.yaml; "},
                    Typed{"TheFileWithoutItsOption", {"run", "none.yaml"}, "none.yaml: cannot be opened"},
                    Typed{"NoCommand", {}, "a command is missing; there are run, validate, explain"},
                    Typed{"NoFileAtAll", {"run", "--json"}, "the EvalJob is missing: evaljob run -f FILE"},
                    Typed{
                        "AMistypedOption", {"run", "x.yaml", "--node", "3"}, "no option --node; did you mean --nodes?"},
                    Typed{"NoFile", {"run", "-f", "none.yaml"}, "none.yaml: cannot be opened; is the path right?"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::e2e
