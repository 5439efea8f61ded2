#include "operator/work_queue.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace evaljob {
namespace {

std::vector<std::string> drain(WorkQueue& queue, UnixSeconds now) {
    std::vector<std::string> taken;
    while (const auto key = queue.take(now)) taken.push_back(*key);
    return taken;
}

using Keys = std::vector<std::string>;

TEST(WorkQueue, WhatGoesOnComesBeforeWhatBegins) {
    WorkQueue queue;
    queue.add("new-1", Urgency::Begins);
    queue.add("running-1");
    queue.add("new-2", Urgency::Begins);
    queue.add("running-2");
    EXPECT_EQ(drain(queue, 0), (Keys{"running-1", "running-2", "new-1", "new-2"}));
}

TEST(WorkQueue, AKeyWaitsOnce) {
    WorkQueue queue;
    queue.add("a");
    queue.add("b");
    queue.add("a");
    EXPECT_EQ(queue.size(), 2U);
    EXPECT_EQ(drain(queue, 0), (Keys{"a", "b"}));
}

TEST(WorkQueue, ANewJobThatGoesOnRises) {
    WorkQueue queue;
    queue.add("a", Urgency::Begins);
    queue.add("b", Urgency::Begins);
    queue.add("b");
    queue.add("b", Urgency::Begins);
    EXPECT_EQ(drain(queue, 0), (Keys{"b", "a"}));
}

TEST(WorkQueue, WhatComesWhileWorkedOnIsOneMoreTurn) {
    WorkQueue queue;
    queue.add("a");
    ASSERT_EQ(queue.take(0), "a");
    queue.add("a");
    queue.add("a");
    EXPECT_FALSE(queue.take(0).has_value()) << "no two workers have one key";
    queue.done("a");
    EXPECT_EQ(drain(queue, 0), Keys{"a"});
}

TEST(WorkQueue, ALaterTimeIsReplacedByASooner) {
    WorkQueue queue;
    queue.add_at("a", 100);
    queue.add_at("b", 50);
    queue.add_at("a", 40);
    EXPECT_EQ(queue.next_time(), 40);
    EXPECT_TRUE(drain(queue, 39).empty());
    EXPECT_EQ(drain(queue, 50), (Keys{"a", "b"}));
    EXPECT_FALSE(queue.next_time().has_value());
}

TEST(WorkQueue, BeingAddedTakesThePlaceOfALaterTime) {
    WorkQueue queue;
    queue.add_at("a", 100);
    queue.add("a");
    ASSERT_EQ(queue.take(0), "a");
    queue.done("a");
    EXPECT_FALSE(queue.next_time().has_value());
}

TEST(WorkQueue, FailuresBackOffUntilOneSucceeds) {
    WorkQueue queue;
    UnixSeconds now = 0;
    std::vector<int> waits;
    queue.add("a");
    for (int i = 0; i < 7; ++i) {
        ASSERT_EQ(queue.take(now), "a");
        waits.push_back(queue.fail("a", now));
        EXPECT_FALSE(queue.take(now).has_value());
        now += waits.back();
    }
    EXPECT_EQ(waits, (std::vector<int>{1, 2, 4, 8, 16, 30, 30}));
    ASSERT_EQ(queue.take(now), "a");
    queue.done("a");
    queue.add("a");
    ASSERT_EQ(queue.take(now), "a");
    EXPECT_EQ(queue.fail("a", now), 1);
}

TEST(WorkQueue, TheBackOffStartsOverWhenSomethingGotOn) {
    WorkQueue queue;
    UnixSeconds now = 0;
    queue.add("a");
    for (const auto& [got_on, wait] : {std::pair(false, 1), {false, 2}, {true, 1}, {false, 2}, {true, 1}, {true, 1}}) {
        ASSERT_EQ(queue.take(now), "a");
        EXPECT_EQ(queue.fail("a", now, got_on), wait);
        now += wait;
    }
}

}  // namespace
}  // namespace evaljob
