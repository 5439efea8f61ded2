#include "net/seldom.hpp"

#include <gtest/gtest.h>

namespace evaljob::test {
namespace {

TEST(Seldom, TellsAtOnceThenOnceAPauseOfAllThatHasGathered) {
    Seldom seldom(60'000);
    EXPECT_EQ(seldom.happened(5), 1U);
    for (int i = 0; i < 399; ++i) EXPECT_EQ(seldom.happened(1'000), 0U);
    EXPECT_EQ(seldom.happened(60'004), 0U);
    EXPECT_EQ(seldom.happened(60'005), 401U);
    EXPECT_EQ(seldom.happened(60'006), 0U);
    EXPECT_EQ(seldom.happened(500'000), 2U);
}

}  // namespace
}  // namespace evaljob::test
