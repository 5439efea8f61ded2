#include "evaljob-runner/rank/session_state.hpp"

#include <gmock/gmock.h>

#include "api/exit_code.hpp"
#include "tests/unit/runner/hellos.hpp"

namespace evaljob::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr LeaseNumber first{1, 1};
constexpr LeaseNumber second{1, 2};

class SessionStateTest : public testing::Test {
protected:
    /// What is said in return, by the name of its type on the wire.
    std::vector<std::string> says(const std::vector<Message>& messages) {
        std::vector<std::string> types;
        for (const Message& message : messages)
            types.push_back(Json::parse(encode_message(message)).at("type").get<std::string>());
        return types;
    }
    std::uint32_t wants(const std::vector<Message>& messages) { return std::get<Want>(messages.back()).leases; }
    void lease(LeaseNumber number, std::uint64_t batch) { EXPECT_THAT(state_.take(Lease{number, batch}), IsEmpty()); }

    SessionState state_{hello_of(1, 2, 0, 0), 2};
    const Welcome welcome_{1, "identity", 2'000};
};

TEST_F(SessionStateTest, WantsLeasesOnceWelcomed) {
    EXPECT_FALSE(state_.welcome());
    const auto reply = state_.take(welcome_);
    EXPECT_THAT(says(reply), ElementsAre("want"));
    EXPECT_EQ(wants(reply), 2U);
    EXPECT_TRUE(state_.welcome());
}

TEST_F(SessionStateTest, SaysAtOnceThatItWantsMoreOrLess) {
    EXPECT_THAT(state_.want(0), IsEmpty()) << "nobody is there to be told";
    EXPECT_EQ(wants(state_.take(welcome_)), 0U);
    EXPECT_EQ(wants(state_.want(5)), 5U);
    EXPECT_THAT(state_.want(5), IsEmpty()) << "known already";
    state_.disconnected();
    EXPECT_EQ(wants(state_.take(welcome_)), 5U);
    state_.leave();
    EXPECT_THAT(state_.want(6), IsEmpty()) << "whoever leaves wants nothing";
}

TEST_F(SessionStateTest, KnowsTheGroupThatItWasPutInto) {
    state_.take(welcome_);
    EXPECT_FALSE(state_.group());
    EXPECT_THAT(state_.take(Group{3, 1, {"a:1", "b:2"}}), IsEmpty());
    ASSERT_TRUE(state_.group());
    EXPECT_EQ(state_.group()->generation, 3U);
    EXPECT_EQ(state_.group()->self, 1U);
    EXPECT_THAT(state_.group()->members, ElementsAre("a:1", "b:2"));
}

TEST_F(SessionStateTest, ComesBackWithWhatItHoldsAndWhatNobodyAcknowledged) {
    state_.take(welcome_);
    lease(first, 7);
    lease(second, 8);
    ASSERT_EQ(state_.next_lease()->batch, 7U);
    state_.done({{first, 7, 3, 0, 5}, ""});
    EXPECT_THAT(says(state_.unsaid()), ElementsAre("done"));
    EXPECT_THAT(state_.unsaid(), IsEmpty());
    EXPECT_FALSE(state_.settled());
    state_.disconnected();
    EXPECT_TRUE(state_.settled()) << "there is nobody to wait for";
    EXPECT_THAT(state_.greeting().held, ElementsAre(HeldLease{second, 8}));
    EXPECT_THAT(says(state_.take(welcome_)), ElementsAre("done", "want"));
    state_.take(Ack{first});
    EXPECT_TRUE(state_.settled());
    state_.disconnected();
    EXPECT_THAT(says(state_.take(welcome_)), ElementsAre("want"));
}

// writers: Node0.
TEST_F(SessionStateTest, SendsItsRecordsOnEveryConnectionUntilTheyAreAcknowledged) {
    state_.log_begins_with("start;");
    state_.take(welcome_);
    lease(first, 7);
    lease(second, 8);
    state_.done({{first, 7, 3, 0, 5}, "seven;"});
    state_.done({{second, 8, 3, 0, 5}, "eight;"});
    const std::vector<std::string> whole{"append", "append", "done", "append", "done"};
    const auto once = state_.unsaid();
    EXPECT_EQ(says(once), whole);
    EXPECT_EQ(std::get<Append>(once[0]).bytes + std::get<Append>(once[1]).bytes, "start;seven;");
    state_.take(Ack{first});
    EXPECT_FALSE(state_.settled());
    state_.disconnected();
    state_.done({{LeaseNumber{1, 3}, 9, 3, 0, 5}, "nine;"});
    EXPECT_THAT(state_.unsaid(), IsEmpty()) << "there is nobody to say it to";
    const auto again = state_.take(welcome_);
    EXPECT_THAT(says(again), ElementsAre("append", "append", "done", "append", "done", "want"));
    EXPECT_EQ(std::get<Append>(again[0]).bytes + std::get<Append>(again[1]).bytes, "start;eight;");
}

TEST_F(SessionStateTest, SendsALargeBatchInPartsThatFitAFrame) {
    state_.log_begins_with("start;");
    state_.take(welcome_);
    lease(first, 7);
    const std::string large(2 * max_append + 1, 'x');
    state_.done({{first, 7, 3, 0, 5}, large});
    std::string sent;
    for (const Message& message : state_.unsaid()) {
        EXPECT_LT(encode_message(message).size(), std::size_t{1} << 20U);
        if (const auto* append = std::get_if<Append>(&message)) sent += append->bytes;
    }
    EXPECT_EQ(sent, "start;" + large);
}

TEST_F(SessionStateTest, ASignalGivesBackWhatIsNotBegun) {
    state_.take(welcome_);
    lease(first, 7);
    lease(second, 8);
    ASSERT_TRUE(state_.next_lease());
    const auto said = state_.leave();
    ASSERT_THAT(said, SizeIs(1));
    EXPECT_EQ(std::get<Return>(said[0]).lease, second);
    EXPECT_FALSE(state_.next_lease());
    EXPECT_EQ(state_.ended()->exit_code, exit_code::terminated);
    EXPECT_THAT(state_.greeting().held, ElementsAre(HeldLease{first, 7}));
}

// It asked for two more, held them until it was gone, and another rank had to wait for them.
TEST_F(SessionStateTest, AfterASignalANewConnectionAsksForNoLease) {
    state_.take(welcome_);
    EXPECT_EQ(wants(state_.leave()), 0U);
    state_.disconnected();
    EXPECT_EQ(wants(state_.take(welcome_)), 0U);
}

TEST_F(SessionStateTest, WhatIsComputedWhenAllIsDoneIsSuperfluous) {
    state_.take(Welcome{1, "identity"});
    lease(first, 5);
    lease(second, 6);
    state_.next_lease();
    EXPECT_FALSE(state_.is_superfluous());
    state_.take(Finished{});
    EXPECT_TRUE(state_.is_superfluous());
    state_.done({first, 5});
    EXPECT_FALSE(state_.is_superfluous()) << "the other is not begun";
}

TEST_F(SessionStateTest, WhoIsStoppedFinishesWhatItComputes) {
    state_.take(Welcome{1, "identity"});
    lease(first, 5);
    state_.next_lease();
    state_.leave();
    EXPECT_FALSE(state_.is_superfluous());
}

TEST_F(SessionStateTest, EndsForTheFirstReason) {
    state_.take(welcome_);
    state_.take(Refused{exit_code::contract, "RANK is taken"});
    state_.take(Finished{});
    EXPECT_EQ(state_.ended()->exit_code, exit_code::contract);
}

TEST_F(SessionStateTest, EndsWhenTheCoordinatorComesBackWithAnotherEvaluation) {
    state_.take(welcome_);
    state_.take(Welcome{2, "another", 2'000});
    EXPECT_EQ(state_.ended()->exit_code, exit_code::identity);
}

}  // namespace
}  // namespace evaljob::test
