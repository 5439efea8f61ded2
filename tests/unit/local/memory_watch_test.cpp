// Watches of the API server in memory.
#include <gmock/gmock.h>

#include "tests/unit/local/memory_api_fixture.hpp"

namespace evaljob::local {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(MemoryApiTest, AWatchThatLagsTooFarExpires) {
    const auto start = client.post(pods_path, named("a")).version();
    Watch lagging(api, pods_path, {{"resourceVersion", start}});
    for (int i = 0; i < 11; ++i) client.post(pods_path, named("p" + std::to_string(i)));
    EXPECT_THAT(lagging.events(), ElementsAre("ERROR 410"));
    EXPECT_FALSE(lagging.pending()) << "the stream has ended";
    Watch late(api, pods_path, {{"resourceVersion", start}});
    const auto events = late.read();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].at("object").at("reason"), "Expired");
    Watch in_time(api, pods_path, {{"resourceVersion", std::to_string(std::stoi(start) + 1)}});
    EXPECT_EQ(in_time.events().size(), 10u);
}

TEST_F(MemoryApiTest, BookmarksComeToThoseWhoAsked) {
    Watch asked(api, pods_path, {{"allowWatchBookmarks", "true"}});
    Watch silent(api, pods_path);
    const auto version = client.post(secrets_path, named("s")).version();
    api.send_bookmarks();
    const auto events = asked.read();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].at("type"), "BOOKMARK");
    EXPECT_EQ(events[0].at("object").at("kind"), "Pod");
    EXPECT_EQ(events[0].at("object").at("metadata").at("resourceVersion"), version);
    EXPECT_THAT(silent.events(), IsEmpty());
    EXPECT_THAT(asked.events(), IsEmpty()) << "one bookmark a step";
}

TEST_F(MemoryApiTest, InitialEventsEndWithABookmark) {
    client.post(pods_path, named("a"));
    Watch watch(
        api, pods_path,
        {{"allowWatchBookmarks", "true"}, {"sendInitialEvents", "true"}, {"resourceVersionMatch", "NotOlderThan"}});
    const auto events = watch.read();
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].at("type"), "ADDED");
    EXPECT_EQ(events[1].at("object").at("metadata").at("annotations").at("k8s.io/initial-events-end"), "true");
}

TEST_F(MemoryApiTest, WatchesEndCleanlyOrAreRefused) {
    Watch watch(api, pods_path);
    EXPECT_TRUE(watch.pending());
    api.end_watches();
    EXPECT_THAT(watch.events(), IsEmpty());
    EXPECT_FALSE(watch.pending());
    EXPECT_EQ(Watch(api, "/api/v1/nodes").refused.value().reason, "NotFound");
    EXPECT_EQ(Watch(api, pods_path, {{"resourceVersion", "x"}}).refused.value().reason, "BadRequest");
    const auto ahead = Watch(api, pods_path, {{"resourceVersion", "999"}}).refused.value();
    EXPECT_EQ(ahead.reason, "Timeout");
    EXPECT_TRUE(ahead.retry);
}

TEST_F(MemoryApiTest, ObserversHearOfChangesAlone) {
    int heard = 0;
    auto subscription = api.on_change([&] { ++heard; });
    client.post(pods_path, named("a"));
    client.get(pods_path);
    client.post(pods_path, named("a"));
    EXPECT_EQ(heard, 1);
    subscription.reset();
    client.post(pods_path, named("b"));
    EXPECT_EQ(heard, 1);
}

}  // namespace
}  // namespace evaljob::local
