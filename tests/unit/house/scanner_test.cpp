// The scanner and the rules on made-up text: a rule that sees nothing would hold forever.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "house.hpp"

namespace evaljob::house {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <class Rule>
const Rule& named(const std::vector<Rule>& rules, std::string_view name) {
    for (const Rule& rule : rules) {
        if (rule.name == name) return rule;
    }
    throw std::out_of_range(std::string(name));
}

struct Case {
    const char* name;
    const char* path;
    const char* text;
    Violations (*check)(const std::vector<SourceFile>& files);
    std::vector<std::string> violations;
};

Violations no_sockets(const std::vector<SourceFile>& f) {
    return check(named(include_rules(), "PureFilesHaveNoSockets"), f);
}
Violations no_threads(const std::vector<SourceFile>& f) {
    return check(named(include_rules(), "PureFilesHaveNoThreads"), f);
}
Violations one_libtorch(const std::vector<SourceFile>& f) {
    return check(named(include_rules(), "OnlyItsEnginesHaveLibtorch"), f);
}
Violations no_clock(const std::vector<SourceFile>& f) { return check(named(name_rules(), "PureFilesHaveNoClock"), f); }
Violations pure_arrow(const std::vector<SourceFile>& f) {
    return check(named(arrows(), "PureFilesKnowOnlyPureFiles"), f);
}
Violations api_arrow(const std::vector<SourceFile>& f) { return check(named(arrows(), "ApiKnowsOnlyItself"), f); }
Violations operator_arrow(const std::vector<SourceFile>& f) {
    return check(named(arrows(), "OperatorKnowsNeitherRunnerNorLocalModeNorCli"), f);
}
Violations words(const std::vector<SourceFile>& f) { return check(named(word_rules(), "NamesSayWhatAThingIs"), f); }
Violations two_lines(const std::vector<SourceFile>& f) { return longer_than(2, f); }

const std::vector<Case> cases{
    {"Socket",
     "operator/plan/plan.cpp",
     "\n#include <boost/asio/post.hpp>\n",
     no_sockets,
     {"operator/plan/plan.cpp:2: includes boost/asio/post.hpp"}},
    {"SpacesInADirective",
     "api/names.hpp",
     "  #  include <boost/beast/http.hpp> // why\n",
     no_sockets,
     {"api/names.hpp:1: includes boost/beast/http.hpp"}},
    {"SocketInAShell", "cli/local_run.cpp", "#include <boost/asio/post.hpp>\n", no_sockets, {}},
    {"IncludeInAComment", "api/names.hpp", "// #include <mutex>\n/*\n#include <thread>\n*/\n", no_threads, {}},
    {"ThreadBehindAComment",
     "api/names.hpp",
     "/* a\n b */\n#include <thread>\n",
     no_threads,
     {"api/names.hpp:3: includes thread"}},
    {"LibtorchInTheEngine", "evaljob-runner/engine/torchscript.cpp", "#include <torch/version.h>\n", one_libtorch, {}},
    {"LibtorchElsewhere",
     "evaljob-runner/rank/rank.cpp",
     "#include <ATen/Parallel.h>\n",
     one_libtorch,
     {"evaljob-runner/rank/rank.cpp:1: includes ATen/Parallel.h"}},
    {"Clock",
     "api/names.cpp",
     "int f() {\n  return g(std::chrono::steady_clock::now());\n}\n",
     no_clock,
     {"api/names.cpp:2: names steady_clock"}},
    {"TimeOfC",
     "api/names.cpp",
     "auto a = std::time(nullptr);\nauto b = ::time (0);\nauto c = time(0);\n",
     no_clock,
     {"api/names.cpp:1: names time", "api/names.cpp:2: names time", "api/names.cpp:3: names time"}},
    {"TimeOfSomethingElse",
     "api/names.cpp",
     "auto a = run.time(1) + at->time(2); int time = 3; time_of(4);\n",
     no_clock,
     {}},
    {"ClockInALiteral", "api/names.cpp", "auto a = \"steady_clock \\\" time(0)\"; // system_clock\n", no_clock, {}},
    {"ClockBehindARawLiteral",
     "api/names.cpp",
     "auto a = R\"x(\" )\" steady_clock)x\";\nsystem_clock b;\n",
     no_clock,
     {"api/names.cpp:2: names system_clock"}},
    {"ClockBehindDigits",
     "api/names.cpp",
     "int a = 1'000; steady_clock b;\nchar c = 'x'; system_clock d;\n",
     no_clock,
     {"api/names.cpp:1: names steady_clock", "api/names.cpp:2: names system_clock"}},
    {"PureFileKnowsAShell",
     "evaljob-runner/merge/proof.cpp",
     "#include \"evaljob-runner/merge/publish.hpp\"\n",
     pure_arrow,
     {"evaljob-runner/merge/proof.cpp:1: includes evaljob-runner/merge/publish.hpp"}},
    {"ShellKnowsAShell",
     "evaljob-runner/merge/merge.cpp",
     "#include \"evaljob-runner/merge/publish.hpp\"\n",
     pure_arrow,
     {}},
    {"ApiKnowsTheOperator",
     "api/names.cpp",
     "#include \"operator/plan/plan.hpp\"\n#include \"api/json.hpp\"\n",
     api_arrow,
     {"api/names.cpp:1: includes operator/plan/plan.hpp"}},
    {"IncludeFromBeside",
     "api/names.cpp",
     "#include \"names.hpp\"\n",
     api_arrow,
     {"api/names.cpp:1: includes names.hpp"}},
    {"OperatorKnowsTheRunner",
     "operator/controller.cpp",
     "#include \"evaljob-runner/storage/files.hpp\"\n",
     operator_arrow,
     {"operator/controller.cpp:1: includes evaljob-runner/storage/files.hpp"}},
    {"Words",
     "api/pod_utils.hpp",
     "class PodManager;\nvoid on_error_handler();\n",
     words,
     {"api/pod_utils.hpp:1: the file's path has the word utils", "api/pod_utils.hpp:1: PodManager has the word manager",
      "api/pod_utils.hpp:2: on_error_handler has the word handler"}},
    {"WordsOfOthers",
     "api/names.cpp",
     "#include <utility>\nJson::error_handler_t a; // a helper\nutilization b;\n",
     words,
     {}},
    {"NoPragma", "api/names.hpp", "// #pragma once\n", headers_without_once, {"api/names.hpp:1: has no #pragma once"}},
    {"Pragma", "api/names.hpp", "// What it is.\n#pragma once\n", headers_without_once, {}},
    {"ASourceNeedsNoPragma", "api/names.cpp", "int a;\n", headers_without_once, {}},
    {"TwoLines", "api/names.cpp", "int a;\nint b;\n", two_lines, {}},
    {"ThreeLines", "api/names.cpp", "int a;\nint b;\nint c;", two_lines, {"api/names.cpp:3: is longer than 2 lines"}},
};

class MadeUp : public testing::TestWithParam<Case> {};
TEST_P(MadeUp, IsSeen) {
    const Case& row = GetParam();
    EXPECT_EQ(row.check({scan(row.path, row.text)}), row.violations);
}
INSTANTIATE_TEST_SUITE_P(House, MadeUp, testing::ValuesIn(cases), [](const auto& info) { return info.param.name; });

TEST(Scanner, SplitsNamesIntoWords) {
    EXPECT_THAT(words_of("fooBar_Baz2"), ElementsAre("foo", "bar", "baz2"));
    EXPECT_THAT(words_of("operator/pod_plan.hpp"), ElementsAre("operator", "pod", "plan", "hpp"));
    EXPECT_THAT(words_of("_"), IsEmpty());
}

}  // namespace

}  // namespace evaljob::house
