#include "api/assert.hpp"

#include <gtest/gtest.h>

namespace evaljob::test {
namespace {

/// In every build type: the release preset's tests are compiled with NDEBUG.
TEST(AssertDeathTest, EndsTheProgramAndSaysWhereAndWhat) {
    const int leases = 9;
    EXPECT_DEATH(EVALJOB_ASSERT(leases <= 8, "a rank holds few leases"),
                 "assert_test.cpp:[0-9]+: a rank holds few leases: `leases <= 8` is false");
}

TEST(Assert, LooksOnceAndGoesOn) {
    int looked = 0;
    EVALJOB_ASSERT(++looked == 1, "it is looked at once");
    EXPECT_EQ(looked, 1);
}

}  // namespace
}  // namespace evaljob::test
