#include "evaljob-runner/coordinator/gathering.hpp"

#include <gmock/gmock.h>

namespace evaljob::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// "session: generation, self of members".
std::vector<std::string> told(Gathering& gathering, Milliseconds now) {
    std::vector<std::string> lines;
    for (const auto& [session, group] : gathering.form(now)) {
        std::string line = std::to_string(session) + ": " + std::to_string(group.generation) + ", " +
                           std::to_string(group.self) + " of";
        for (const auto& member : group.members) line += " " + member;
        lines.push_back(line);
    }
    return lines;
}

TEST(Gathering, IsOverAtOnceWhenEveryoneIsThere) {
    Gathering gathering(2, 3'000);
    gathering.join(20, {"b:2"}, 100);
    EXPECT_THAT(told(gathering, 100), IsEmpty());
    gathering.join(10, {"a:1"}, 150);
    EXPECT_THAT(told(gathering, 150), ElementsAre("10: 1, 0 of a:1 b:2", "20: 1, 1 of a:1 b:2"));
    EXPECT_THAT(told(gathering, 9'000), IsEmpty());
}

TEST(Gathering, WaitsForNobodyLongerThanItsWindow) {
    Gathering gathering(4, 3'000);
    gathering.join(10, {"a:1"}, 100);
    gathering.join(20, {"b:2"}, 3'000);
    EXPECT_THAT(told(gathering, 3'099), IsEmpty());
    EXPECT_THAT(told(gathering, 3'100), ElementsAre("10: 1, 0 of a:1 b:2", "20: 1, 1 of a:1 b:2"));
}

TEST(Gathering, PutsTheLateIntoAGroupOfTheirOwn) {
    Gathering gathering(2, 3'000);
    gathering.join(10, {"a:1"}, 0);
    EXPECT_THAT(told(gathering, 3'000), ElementsAre("10: 1, 0 of a:1"));
    gathering.join(20, {"b:2"}, 10'000);
    EXPECT_THAT(told(gathering, 12'999), IsEmpty());
    EXPECT_THAT(told(gathering, 13'000), ElementsAre("20: 2, 0 of b:2"));
}

TEST(Gathering, ForgetsWhoHasLeft) {
    Gathering gathering(3, 3'000);
    gathering.join(10, {"a:1"}, 0);
    gathering.join(20, {"b:2"}, 0);
    gathering.leave(10);
    EXPECT_THAT(told(gathering, 3'000), ElementsAre("20: 1, 0 of b:2"));
    gathering.leave(77);
    EXPECT_THAT(told(gathering, 9'000), IsEmpty());
}

TEST(Gathering, KnowsASessionOnce) {
    Gathering gathering(2, 3'000);
    gathering.join(10, {"a:1"}, 0);
    gathering.join(10, {"a:2"}, 10);
    EXPECT_THAT(told(gathering, 20), IsEmpty());
    EXPECT_THAT(told(gathering, 3'000), ElementsAre("10: 1, 0 of a:2"));
}

}  // namespace
}  // namespace evaljob::test
