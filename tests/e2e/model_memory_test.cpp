// The model's file is read by one rank of each node; the others have its bytes from memory.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <sstream>

#include "tests/e2e/evaluation.hpp"

namespace evaljob::e2e {
namespace {

/// Lines of all nodes' logs that hold this.
std::size_t logged(const Evaluation& evaluation, const std::string& part) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(evaluation.output() + "/local/logs")) {
        std::istringstream lines(read_text(entry.path().string()));
        for (std::string line; std::getline(lines, line);) count += line.find(part) != std::string::npos ? 1 : 0;
    }
    return count;
}

TEST(ModelFile, IsReadOnceForAllRanksOfANode) {
    const Shape shape{.nodes = 2, .procs = 3, .limit = 300};
    Evaluation evaluation("memory");
    ASSERT_EQ(evaluation.start(shape)->wait(), 0) << evaluation.console();
    EXPECT_EQ(logged(evaluation, " bytes read from "), 2U) << "one reader on each node";
    EXPECT_EQ(evaluation.published(), undisturbed(shape).published);
}

TEST(ModelFile, IsReadByARankThatIsStartedAgain) {
    const Shape shape{.nodes = 1, .procs = 2, .limit = 10'000};
    Evaluation evaluation("memory-again");
    auto program = evaluation.start(shape);
    ASSERT_TRUE(eventually([&] { return evaluation.records() > 100 || !program->running(); }));
    pid_t killed = 0;
    for (const ProcessView& process : descendants(program->pid()))
        if (process.is("evaljob-rank") && process.variable("RANK") == "1" && ::kill(process.pid, SIGKILL) == 0)
            killed = process.pid;
    ASSERT_NE(killed, 0) << evaluation.console();
    ASSERT_EQ(program->wait(), 0) << evaluation.console();
    EXPECT_EQ(logged(evaluation, " bytes read from "), 2U);
    EXPECT_EQ(evaluation.published(), undisturbed(shape).published);
}

}  // namespace
}  // namespace evaljob::e2e
