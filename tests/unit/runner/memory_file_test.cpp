// A memory file among real processes: one fills it, whatever becomes of the others.
#include "evaljob-runner/storage/memory_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace evaljob::test {
namespace {

/// As a rank has it: opened anew. The launcher's stays.
MemoryFile of_a_rank(const MemoryFile& launcher) { return *MemoryFile::inherited(::dup(launcher.descriptor())); }

Result<void> fill_with(MemoryFile& file, const std::string& bytes) {
    return file.fill(bytes.size(), [&](char* to) -> Result<void> {
        std::copy(bytes.begin(), bytes.end(), to);  // memcpy takes no null, which there is for no bytes
        return {};
    });
}

TEST(MemoryFile, IsFilledByOneAndReadByAll) {
    const auto launcher = MemoryFile::make();
    ASSERT_TRUE(launcher);
    MemoryFile one = of_a_rank(*launcher);
    MemoryFile other = of_a_rank(*launcher);
    EXPECT_EQ(one.turn(), MemoryFile::Turn::Fill);
    EXPECT_EQ(other.turn(), MemoryFile::Turn::Wait);
    ASSERT_TRUE(fill_with(one, "weights"));
    EXPECT_EQ(one.turn(), MemoryFile::Turn::Full);
    EXPECT_EQ(other.turn(), MemoryFile::Turn::Full);
    EXPECT_EQ(other.bytes()->bytes, "weights");
}

TEST(MemoryFile, OutlivesWhoFilledIt) {
    auto launcher = MemoryFile::make();
    MemoryFile one = of_a_rank(*launcher);
    {
        MemoryFile filler = of_a_rank(*launcher);
        ASSERT_EQ(filler.turn(), MemoryFile::Turn::Fill);
        ASSERT_TRUE(fill_with(filler, "weights"));
    }
    ASSERT_EQ(one.turn(), MemoryFile::Turn::Full);
    const auto bytes = one.bytes();
    launcher = MemoryFile::make();
    one = of_a_rank(*launcher);
    EXPECT_EQ(bytes->bytes, "weights") << "a mapping needs no descriptor";
}

TEST(MemoryFile, IsTheNextOnesWhenItsFillerDies) {
    const auto launcher = MemoryFile::make();
    MemoryFile survivor = of_a_rank(*launcher);
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        MemoryFile filler = of_a_rank(*launcher);
        if (filler.turn() != MemoryFile::Turn::Fill) ::_exit(1);
        (void)filler.fill(3, [&](char* to) -> Result<void> {
            std::memcpy(to, "half", 3);
            [[maybe_unused]] const auto written = ::write(ready[1], "x", 1);
            for (;;) ::pause();
        });
        ::_exit(1);
    }
    char begun = 0;
    ASSERT_EQ(::read(ready[0], &begun, 1), 1);
    EXPECT_EQ(survivor.turn(), MemoryFile::Turn::Wait);
    EXPECT_GT(survivor.filled(), 0U);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ASSERT_EQ(survivor.turn(), MemoryFile::Turn::Fill);
    ASSERT_TRUE(fill_with(survivor, "whole"));
    EXPECT_EQ(survivor.bytes()->bytes, "whole");
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST(MemoryFile, IsAnybodysAgainWhenItsFillerFails) {
    const auto launcher = MemoryFile::make();
    MemoryFile one = of_a_rank(*launcher);
    MemoryFile other = of_a_rank(*launcher);
    ASSERT_EQ(one.turn(), MemoryFile::Turn::Fill);
    const auto failed = one.fill(8, [](char*) -> Result<void> { return fail("BadInput", "no such file"); });
    EXPECT_EQ(failed.error().message, "no such file");
    EXPECT_EQ(other.turn(), MemoryFile::Turn::Fill);
}

TEST(MemoryFile, MayBeEmpty) {
    const auto launcher = MemoryFile::make();
    MemoryFile one = of_a_rank(*launcher);
    ASSERT_EQ(one.turn(), MemoryFile::Turn::Fill);
    ASSERT_TRUE(fill_with(one, ""));
    EXPECT_EQ(one.turn(), MemoryFile::Turn::Full);
    EXPECT_EQ(one.bytes()->bytes, "");
}

TEST(MemoryFile, IsNoOtherFileThatHasItsNumber) {
    const int other = ::open("/dev/null", O_RDWR);
    const auto file = MemoryFile::inherited(other);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().reason, "Unavailable");
    EXPECT_EQ(::fcntl(other, F_GETFD) >= 0, true) << "what is not ours stays open";
    ::close(other);
}

}  // namespace
}  // namespace evaljob::test
