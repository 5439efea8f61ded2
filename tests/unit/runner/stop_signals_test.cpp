#include "evaljob-runner/launch/stop_signals.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "api/exit_code.hpp"

namespace evaljob::test {
namespace {

TEST(StopSignals, AreToldOnTheThreadThatWorks) {
    boost::asio::io_context io;
    const auto work = boost::asio::make_work_guard(io);
    int told = 0;
    std::thread::id where;
    const StopSignals signals(io, [&](int number) {
        told = number;
        where = std::this_thread::get_id();
        io.stop();
    });
    ::kill(::getpid(), SIGTERM);
    io.run_for(std::chrono::seconds(60));
    EXPECT_EQ(told, SIGTERM);
    EXPECT_EQ(where, std::this_thread::get_id());
}

/// A reader that does not come back: nobody runs the io_context.
[[noreturn]] void hang() {
    boost::asio::io_context io;
    const StopSignals signals(
        io, [](int) {}, std::chrono::milliseconds(50));
    ::kill(::getpid(), SIGTERM);
    for (;;) ::pause();
}

TEST(StopSignalsDeath, AreAnsweredWhateverAReaderDoes) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(hang(), testing::ExitedWithCode(exit_code::terminated), "");
}

}  // namespace
}  // namespace evaljob::test
