// A watch's bytes may arrive in any pieces.
#include <gtest/gtest.h>

#include "operator/kube/watch_decoder.hpp"

namespace evaljob::kube {
namespace {

const std::string stream = R"({"type":"ADDED","object":{"metadata":{"name":"é→🙂","resourceVersion":"1"}}})"
                           "\n"
                           R"({"type":"MODIFIED","object":{"metadata":{"name":"b","resourceVersion":"2"}}})"
                           "\r\n\n"
                           R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"3"}}})"
                           "\n"
                           R"({"type":"DELETED","object":{"metadata":{"name":"b","resourceVersion":"4"}}})"
                           "\n"
                           R"({"type":"ERROR","object":{"kind":"Status","code":410}})"
                           "\n";

std::string text(const std::vector<WatchEvent>& events) {
    std::string all;
    for (const WatchEvent& event : events)
        all += std::to_string(static_cast<int>(event.type)) + event.object.dump() + "\n";
    return all;
}

std::vector<WatchEvent> decode(const std::vector<std::string_view>& pieces) {
    WatchDecoder decoder;
    std::vector<WatchEvent> all;
    for (const std::string_view piece : pieces) {
        auto events = decoder.feed(piece);
        EXPECT_TRUE(events) << events.error().message;
        if (!events) return all;
        all.insert(all.end(), events->begin(), events->end());
    }
    EXPECT_TRUE(decoder.at_boundary());
    return all;
}

TEST(WatchDecoder, TakesAllEventsAtOnce) {
    const auto events = decode({stream});
    ASSERT_EQ(events.size(), 5U);
    EXPECT_EQ(events[0].object.at("metadata").at("name"), "é→🙂");
    EXPECT_EQ(events[4].type, WatchEvent::Type::Error);
}

TEST(WatchDecoder, MayBeCutAtEveryByte) {
    const std::string whole = text(decode({stream}));
    const std::string_view bytes = stream;
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
        EXPECT_EQ(text(decode({bytes.substr(0, cut), bytes.substr(cut)})), whole) << "cut at " << cut;
}

TEST(WatchDecoder, MayArriveByteByByte) {
    std::vector<std::string_view> pieces;
    for (std::size_t i = 0; i < stream.size(); ++i) pieces.push_back(std::string_view(stream).substr(i, 1));
    EXPECT_EQ(text(decode(pieces)), text(decode({stream})));
}

TEST(WatchDecoder, KnowsThatALineIsIncomplete) {
    WatchDecoder decoder;
    ASSERT_TRUE(decoder.feed(stream.substr(0, 20)));
    EXPECT_FALSE(decoder.at_boundary());
}

TEST(WatchDecoder, LongLinesAreRefusedBeforeTheyFillTheMemory) {
    WatchDecoder decoder(100);
    EXPECT_TRUE(decoder.feed(std::string(100, ' ')));
    const auto events = decoder.feed(" ");
    ASSERT_FALSE(events);
    EXPECT_EQ(events.error().reason, "TooLarge");
}

class BadLines : public ::testing::TestWithParam<std::string> {};

TEST_P(BadLines, AreErrors) {
    WatchDecoder decoder;
    const auto events = decoder.feed(GetParam() + "\n");
    ASSERT_FALSE(events);
    EXPECT_EQ(events.error().reason, "BadEvent");
}

INSTANTIATE_TEST_SUITE_P(WatchDecoder, BadLines,
                         ::testing::Values("x", "[]", "{}", R"({"type":"ADDED"})", R"({"type":"NEW","object":{}})",
                                           R"({"type":1,"object":{}})", R"({"type":"ADDED","object":[]})",
                                           "{\"type\":\"ADDED\",\"object\":{\"a\":\"\xff\"}}"));

}  // namespace
}  // namespace evaljob::kube
