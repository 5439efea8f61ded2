#include "local/process_runtime.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <optional>

#include "local/process_tree.hpp"
#include "tests/unit/local/processes.hpp"
#include "tests/unit/local/victim.hpp"

namespace evaljob::local {

int run_victim(const std::string& script, const std::string& log_path) {
    boost::asio::io_context io;
    const auto ignore = [](const auto&...) {};
    auto runtime = ProcessRuntime::launch(io, "/proc/self/exe", {ignore, ignore, ignore, ignore});
    if (!runtime) return 1;
    (*runtime)->start({"c", {"sh", "-c", script}, {{"PATH", ::getenv("PATH")}}, "/", log_path});
    io.run();
    return 0;
}

namespace {

using testing::HasSubstr;

/// Its children escape in every way there is: a process group's member, a session of its own, a double fork, and one
/// that clears its environment as well.
std::string escaping_script(const std::string& mark, const std::string& end) {
    return "sleep " + mark + " & setsid sh -c 'sleep " + mark + " & sleep " + mark +
           " &'; (setsid setsid env -i $(which sleep) " + mark + " &) ; " + end;
}
constexpr std::size_t escaped = 4;

struct Seen {
    int pid = 0;
    std::optional<std::string> failed;
    std::optional<std::pair<int, int>> exited;  // code, signal
};

class ProcessRuntimeTest : public testing::Test {
protected:
    void SetUp() override {
        auto launched =
            ProcessRuntime::launch(io, "/proc/self/exe",
                                   {[this](const std::string& id, int pid) { seen[id].pid = pid; },
                                    [this](const std::string& id, const std::string& why) { seen[id].failed = why; },
                                    [this](const std::string& id, int code, int signal) {
                                        seen[id].exited = {code, signal};
                                    },
                                    [this](const std::string& why) { lost = why; }});
        ASSERT_TRUE(launched) << launched.error().message;
        runtime = std::move(*launched);
    }

    void start(const std::string& id, std::vector<std::string> argv, Environment more = {}, std::string cwd = "/") {
        more.emplace("PATH", ::getenv("PATH"));
        runtime->start({id, std::move(argv), std::move(more), std::move(cwd), log(id)});
    }
    void start_script(const std::string& id, const std::string& script) { start(id, {"sh", "-c", script}); }
    std::string log(const std::string& id) const { return (folder.path() / (id + ".log")).string(); }
    bool until(const std::function<bool()>& is_so) { return run_until(io, is_so); }
    bool ended(const std::string& id) {
        return until([&] { return seen[id].exited || seen[id].failed; });
    }

    TemporaryFolder folder;
    boost::asio::io_context io;
    std::map<std::string, Seen> seen;
    std::optional<std::string> lost;
    std::unique_ptr<ProcessRuntime> runtime;
};

TEST_F(ProcessRuntimeTest, RunsAProgramWithItsEnvironmentFolderAndLog) {
    start("a", {"sh", "-c", "pwd; env; echo oops >&2; exec 3<&0; cat; exit 7"}, {{"GREETING", "a b\n\"c\""}}, "/usr");
    ASSERT_TRUE(ended("a"));
    EXPECT_EQ(seen["a"].exited, std::make_pair(7, 0));
    EXPECT_GT(seen["a"].pid, 0);
    const auto text = read_file(log("a"));
    EXPECT_THAT(text, HasSubstr("/usr\n"));
    EXPECT_THAT(text, HasSubstr("GREETING=a b\n\"c\"\n"));
    EXPECT_THAT(text, HasSubstr("oops\n"));
    EXPECT_THAT(text, testing::Not(HasSubstr("HOME="))) << "nothing is inherited";
}

TEST_F(ProcessRuntimeTest, AppendsToTheLog) {
    start_script("a", "echo one");
    ASSERT_TRUE(ended("a"));
    seen.clear();
    start_script("a", "echo two");
    ASSERT_TRUE(ended("a"));
    EXPECT_EQ(read_file(log("a")), "one\ntwo\n");
}

TEST_F(ProcessRuntimeTest, LooksTheProgramUpOnTheContainersPath) {
    const auto program = folder.path() / "only-here";
    std::ofstream(program) << "#!/bin/sh\nexit 3\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    start("a", {"only-here"}, {{"PATH", folder.path().string() + ":/bin"}});
    ASSERT_TRUE(ended("a"));
    EXPECT_EQ(seen["a"].exited, std::make_pair(3, 0));
}

TEST_F(ProcessRuntimeTest, SaysWhyAProgramCannotStart) {
    start("program", {"no-such-program"});
    start("folder", {"true"}, {}, "/no/such/folder");
    runtime->start({"log", {"true"}, {}, "/", "/no/such/folder/x.log"});
    ASSERT_TRUE(ended("program") && ended("folder") && ended("log"));
    EXPECT_EQ(seen["program"].failed, "cannot run 'no-such-program': No such file or directory");
    EXPECT_EQ(seen["folder"].failed, "cannot enter the working folder /no/such/folder: No such file or directory");
    EXPECT_EQ(seen["log"].failed, "cannot write the log /no/such/folder/x.log: No such file or directory");
}

TEST_F(ProcessRuntimeTest, PassesSignalsToTheMainProcess) {
    start_script("polite", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done");
    start("killed", {"sleep", unique_sleep()});
    ASSERT_TRUE(until([&] { return seen["killed"].pid && read_file(log("polite")) == "ready\n"; }));
    runtime->signal("polite", SIGTERM);
    runtime->kill("killed");
    ASSERT_TRUE(ended("polite") && ended("killed"));
    EXPECT_EQ(seen["polite"].exited, std::make_pair(5, 0));
    EXPECT_EQ(seen["killed"].exited, std::make_pair(0, SIGKILL));
}

TEST_F(ProcessRuntimeTest, EndsWhatAContainerLeavesBehindAndNothingElse) {
    const auto mark = unique_sleep(), other = unique_sleep();
    start("other", {"sleep", other});
    ASSERT_EQ(::mkfifo((folder.path() / "go").c_str(), 0600), 0);
    start_script("a", escaping_script(mark, "read x < " + (folder.path() / "go").string()));
    ASSERT_TRUE(until([&] { return sleepers(mark).size() == escaped; }));
    std::ofstream(folder.path() / "go") << "go\n";
    ASSERT_TRUE(ended("a"));
    EXPECT_EQ(seen["a"].exited, std::make_pair(0, 0));
    EXPECT_TRUE(sleepers(mark).empty()) << "exited is said when nothing is left";
    EXPECT_EQ(sleepers(other).size(), 1u);
}

TEST_F(ProcessRuntimeTest, ClosingEndsEverything) {
    const auto mark = unique_sleep();
    start_script("a", escaping_script(mark, "exec sleep " + mark));
    ASSERT_TRUE(until([&] { return sleepers(mark).size() == escaped + 1; }));
    runtime.reset();
    EXPECT_TRUE(sleepers(mark).empty());
}

TEST_F(ProcessRuntimeTest, AKilledKeeperTakesItsContainerAlong) {
    const auto mark = unique_sleep(), other = unique_sleep();
    start_script("a", escaping_script(mark, "echo $PPID; exec sleep " + mark));
    start("other", {"sleep", other});
    ASSERT_TRUE(until([&] { return sleepers(mark).size() == escaped + 1 && sleepers(other).size() == 1; }));
    ::kill(std::stoi(read_file(log("a"))), SIGKILL);
    ASSERT_TRUE(ended("a"));
    EXPECT_EQ(seen["a"].exited, std::make_pair(0, SIGKILL));
    EXPECT_TRUE(sleepers(mark).empty());
    EXPECT_EQ(sleepers(other).size(), 1u);
}

TEST_F(ProcessRuntimeTest, AKilledGuardianIsReportedAndNothingIsLeft) {
    const auto mark = unique_sleep();
    start_script("a", escaping_script(mark, "exec sleep " + mark));
    ASSERT_TRUE(until([&] { return sleepers(mark).size() == escaped + 1; }));
    ::kill(runtime->guardian_pid(), SIGKILL);
    ASSERT_TRUE(until([&] { return lost.has_value(); }));
    EXPECT_THAT(*lost, HasSubstr("the process runtime has ended"));
    EXPECT_TRUE(sleepers(mark).empty());
}

TEST_F(ProcessRuntimeTest, ProcessesMayComeAndGoWhileTheyAreListed) {
    start_script("busy", "while :; do (true; true) & (true; true) & wait; done");
    ASSERT_TRUE(until([&] { return seen["busy"].pid != 0; }));
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(own_children().contains(runtime->guardian_pid()));
}

TEST_F(ProcessRuntimeTest, ASignalToTheTerminalsGroupReachesNoContainer) {
    start_script("a", "ps -o sid= -p $$ | tr -d ' '");
    ASSERT_TRUE(ended("a"));
    EXPECT_EQ(std::stoi(read_file(log("a"))), seen["a"].pid) << "a session of its own";
    EXPECT_NE(::getsid(runtime->guardian_pid()), ::getsid(0));
}

TEST(ProcessRuntimeKilled, WithItsParentLeavesNoProcess) {
    TemporaryFolder folder;
    const auto mark = unique_sleep();
    const auto script = escaping_script(mark, "exec sleep " + mark);
    const auto log = (folder.path() / "log").string();
    const pid_t victim = ::fork();
    if (victim == 0) {
        ::execl("/proc/self/exe", "victim", victim_subcommand, script.c_str(), log.c_str(),
                static_cast<char*>(nullptr));
        ::_exit(127);
    }
    ASSERT_GT(victim, 0);
    const bool all_there = becomes_true([&] { return sleepers(mark).size() == escaped + 1; });
    ::kill(victim, SIGKILL);
    ::waitpid(victim, nullptr, 0);
    ASSERT_TRUE(all_there);
    EXPECT_TRUE(becomes_true([&] { return sleepers(mark).empty(); }));
}

}  // namespace
}  // namespace evaljob::local
