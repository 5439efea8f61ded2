// Deadlines of collective operations, on a library that does what a row says and a clock that goes when it is told.
#include "evaljob-runner/communicate/bounded.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace evaljob::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using State = Collectives::State;

/// What the library was asked to do and how it behaves.
struct Script {
    std::vector<Collectives::Asked> answers;  // in turn; when they are over, Running
    std::size_t asked = 0;
    bool begins = true;
    std::vector<std::string> calls;
};

class Scripted : public Collectives {
public:
    explicit Scripted(Script& script, std::size_t self = 0) : script_(script), self_(self) {}
    std::size_t size() const override { return 3; }
    std::size_t self() const override { return self_; }
    std::size_t room() const override { return room_.size(); }
    char* bytes() override { return room_.data(); }
    Result<void> begin_broadcast(std::size_t count) override {
        return begin("broadcast " + std::string(room_.data(), count));
    }
    Result<void> begin_all_gather(std::uint64_t value) override { return begin("gather " + std::to_string(value)); }
    Asked ask() override {
        if (script_.asked < script_.answers.size()) return script_.answers[script_.asked++];
        return {State::Running, ""};
    }
    std::vector<std::uint64_t> gathered() const override { return {7, 8, 9}; }
    void abort() override { script_.calls.emplace_back("abort"); }

private:
    Result<void> begin(const std::string& what) {
        script_.calls.push_back(what);
        if (script_.begins) return {};
        return fail("Unavailable", "not connected");
    }
    Script& script_;
    std::size_t self_;
    std::string room_ = "....";
};

struct Clockwork {
    Milliseconds now = 1'000;
    int pauses = 0;
    Patience patience() {
        return {100, [this] { return now; },
                [this](int) {
                    ++pauses;
                    now += 30;
                }};
    }
};

const Collectives::Asked running{State::Running, ""};
const Collectives::Asked done{State::Done, ""};

TEST(BoundedCommunicator, WaitsAsLongAsItsLimit) {
    Script script{{running, running, running, done}};
    Clockwork clock;
    BoundedCommunicator group(std::make_unique<Scripted>(script), clock.patience());
    EXPECT_THAT(*group.all_gather(5), ElementsAre(7U, 8U, 9U));
    EXPECT_EQ(clock.pauses, 3);
    EXPECT_THAT(script.calls, ElementsAre("gather 5"));
}

TEST(BoundedCommunicator, GivesUpAMemberThatHangs) {
    Script script;
    Clockwork clock;
    BoundedCommunicator group(std::make_unique<Scripted>(script), clock.patience());
    const auto hung = group.all_gather(5);
    ASSERT_FALSE(hung);
    EXPECT_EQ(hung.error().reason, "Unavailable");
    EXPECT_EQ(hung.error().message, "a member did not answer (all-gather) within 100 ms");
    EXPECT_EQ(clock.now, 1'120) << "not before its time, and at the first look after";
    EXPECT_THAT(script.calls, ElementsAre("gather 5", "abort"));
}

TEST(BoundedCommunicator, IsOfNoUseAfterwards) {
    Script script;
    Clockwork clock;
    BoundedCommunicator group(std::make_unique<Scripted>(script), clock.patience());
    std::string bytes = "abcd";
    ASSERT_FALSE(group.broadcast(bytes.data(), bytes.size()));
    const auto then = clock.now;
    EXPECT_FALSE(group.all_gather(5));
    EXPECT_FALSE(group.broadcast(bytes.data(), bytes.size()));
    group.abort();
    EXPECT_EQ(clock.now, then) << "nobody waits again";
    EXPECT_THAT(script.calls, ElementsAre("broadcast abcd", "abort"));
}

TEST(BoundedCommunicator, PassesOnWhyTheLibraryFailed) {
    Script script{{running, {State::Failed, "Connection closed by peer"}}};
    Clockwork clock;
    BoundedCommunicator group(std::make_unique<Scripted>(script), clock.patience());
    EXPECT_EQ(group.all_gather(5).error().message, "Connection closed by peer");
    EXPECT_THAT(script.calls, ElementsAre("gather 5", "abort"));
}

TEST(BoundedCommunicator, GivesUpWhatCannotBeBegun) {
    Script script;
    script.begins = false;
    Clockwork clock;
    BoundedCommunicator group(std::make_unique<Scripted>(script), clock.patience());
    EXPECT_EQ(group.all_gather(5).error().message, "not connected");
    EXPECT_EQ(clock.pauses, 0);
    EXPECT_THAT(script.calls, ElementsAre("gather 5", "abort"));
}

TEST(BoundedCommunicator, CountsWhatEndedWellHoweverLateItIsSeen) {
    Script script{{running, done}};
    Clockwork clock;
    auto patience = clock.patience();
    patience.pause = [&](int) { clock.now += 10'000; };
    BoundedCommunicator group(std::make_unique<Scripted>(script), patience);
    EXPECT_TRUE(group.all_gather(5));
}

TEST(BoundedCommunicator, GivesEachPieceOfABroadcastItsOwnTime) {
    Script script{{running, running, running, done, running, running, running, done, done}};
    Clockwork clock;
    BoundedCommunicator group(std::make_unique<Scripted>(script), clock.patience());
    std::string bytes = "abcdefghij";
    ASSERT_TRUE(group.broadcast(bytes.data(), bytes.size()));
    EXPECT_THAT(script.calls, ElementsAre("broadcast abcd", "broadcast efgh", "broadcast ij"));
}

TEST(BoundedCommunicator, WritesOnlyWhatHasArrived) {
    Script script{{done, {State::Failed, "lost"}}};
    Clockwork clock;
    BoundedCommunicator group(std::make_unique<Scripted>(script, 1), clock.patience());
    std::string bytes = "abcdefgh";
    ASSERT_FALSE(group.broadcast(bytes.data(), bytes.size()));
    EXPECT_EQ(bytes, "....efgh");
}

}  // namespace
}  // namespace evaljob::test
