#include "evaljob-runner/launch/child.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>

#include <boost/asio/signal_set.hpp>

namespace evaljob::test {
namespace {

// The signal came before exec, was written into the launcher's own pipe, and was lost: a job that failed at once waited
// 20 s for ranks that had not heard that they should end.
TEST(Child, ThatIsToldToEndRightAfterItsStartEnds) {
    boost::asio::io_context io;
    boost::asio::signal_set signals(io, SIGTERM);
    int heard = 0;
    signals.async_wait([&](const boost::system::error_code& error, int) { heard += error ? 0 : 1; });
    for (int round = 0; round < 20; ++round) {
        const auto child = Child::start(io, {"sleep", "20"}, {{"PATH", std::getenv("PATH")}}, [](const auto&) {});
        ASSERT_TRUE(child) << child.error().message;
        (*child)->signal(SIGTERM);
        int status = 0;
        ASSERT_EQ(::waitpid((*child)->pid(), &status, 0), (*child)->pid());
        ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << "round " << round;
        (*child)->drain();
    }
    io.poll();
    EXPECT_EQ(heard, 0) << "the signal was meant for the child";
}

}  // namespace
}  // namespace evaljob::test
