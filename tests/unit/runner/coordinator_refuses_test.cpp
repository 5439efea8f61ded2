// Whom the coordinator does not serve, and what ends a job.
#include <gmock/gmock.h>

#include "api/exit_code.hpp"
#include "tests/unit/runner/coordinator_run.hpp"

namespace evaljob::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

struct Early {
    const char* name;
    Message message;
};

class BeforeHello : public testing::TestWithParam<Early> {};

TEST_P(BeforeHello, NobodyIsServed) {
    CoordinatorRun run(batches_of({1}));
    run.join(1, 1);
    const Effects effects = run.say(2, GetParam().message);
    ASSERT_THAT(effects, SizeIs(1));
    EXPECT_EQ(std::get<CloseSession>(effects[0]).session, 2U);
    EXPECT_EQ(run.progress().samples_done, 0U);
    EXPECT_THAT(leased(run.done(1, run.last_lease[1])), IsEmpty());
    EXPECT_EQ(run.progress().samples_done, 1U);  // the first one's work goes on
}

INSTANTIATE_TEST_SUITE_P(Table, BeforeHello,
                         testing::Values(Early{"Want", Want{1}}, Early{"Done", Done{{1, 1}, 0, 1, 0, 0}},
                                         Early{"Return", Return{{1, 1}}}, Early{"Heartbeat", Heartbeat{}},
                                         Early{"Abort", Abort{12, "stop"}}, Early{"Finished", Finished{}}),
                         [](const auto& row) { return row.param.name; });

struct Token {
    const char* name;
    std::string token;
};

class WrongToken : public testing::TestWithParam<Token> {};

TEST_P(WrongToken, IsRefusedAndTheJobGoesOn) {
    CoordinatorRun run(batches_of({1}));
    Hello hello = CoordinatorRun::hello(1);
    hello.token = GetParam().token;
    hello.contract.run_id = "another";  // not even looked at
    const Effects effects = run.say(1, hello);
    ASSERT_THAT(sent<Refused>(effects), SizeIs(1));
    EXPECT_EQ(sent<Refused>(effects)[0].second.exit_code, exit_code::contract);
    EXPECT_THAT(sent<Refused>(effects)[0].second.message, HasSubstr("the token is not this run's"));
    EXPECT_THAT(all_of<CloseSession>(effects), SizeIs(1));
    EXPECT_THAT(all_of<EndJob>(effects), IsEmpty());
    EXPECT_THAT(leased(run.say(1, Want{1})), IsEmpty());
    EXPECT_THAT(leased(run.join(2, 1)), SizeIs(1));
}

INSTANTIATE_TEST_SUITE_P(Table, WrongToken,
                         testing::Values(Token{"Empty", ""}, Token{"Other", "Secret"}, Token{"Prefix", "secre"},
                                         Token{"Longer", "secretsecret"}),
                         [](const auto& row) { return row.param.name; });

TEST(Coordinator, WithoutATokenServesNobody) {
    CoordinatorOptions options = CoordinatorRun::options(1);
    options.token = "";
    Coordinator coordinator(options, batches_of({1}));
    Hello hello = CoordinatorRun::hello(1);
    hello.token = "";
    EXPECT_THAT(sent<Refused>(coordinator.message(1, hello, 0)), SizeIs(1));
}

TEST(Coordinator, RefusesAnotherVersionsRunnerWithoutEndingTheJob) {
    CoordinatorRun run(batches_of({1}));
    Hello hello = CoordinatorRun::hello(1);
    hello.version = protocol_version + 1;
    const Effects effects = run.say(1, hello);
    ASSERT_THAT(sent<Refused>(effects), SizeIs(1));
    EXPECT_THAT(sent<Refused>(effects)[0].second.message, HasSubstr("same image"));
    EXPECT_THAT(all_of<EndJob>(effects), IsEmpty());
}

TEST(Coordinator, AViolatedContractEndsTheJobForAll) {
    CoordinatorRun run(batches_of({1}));
    run.join(1, 1);
    run.join(2);
    Hello wrong = CoordinatorRun::hello(3);
    wrong.contract.rank = 0;
    const Effects effects = run.say(3, wrong);
    ASSERT_THAT(all_of<EndJob>(effects), SizeIs(1));
    EXPECT_EQ(all_of<EndJob>(effects)[0].exit_code, exit_code::contract);
    EXPECT_THAT(all_of<EndJob>(effects)[0].message, HasSubstr("two processes have RANK=0"));
    EXPECT_THAT(sent<Refused>(effects), ElementsAre(Pair(3, testing::_), Pair(1, testing::_), Pair(2, testing::_)));
}

TEST(Coordinator, AnAbortEndsTheJobForAllAndForWhoComesLater) {
    CoordinatorRun run(batches_of({1, 1}));
    run.join(1, 1);
    run.join(2);
    const Effects effects = run.say(2, Abort{exit_code::bad_input, "model: is damaged"});
    ASSERT_THAT(all_of<EndJob>(effects), SizeIs(1));
    EXPECT_EQ(all_of<EndJob>(effects)[0].exit_code, exit_code::bad_input);
    EXPECT_THAT(all_of<EndJob>(effects)[0].message, HasSubstr("pid 101 on fm-0"));
    EXPECT_THAT(all_of<EndJob>(effects)[0].message, HasSubstr("model: is damaged"));
    EXPECT_THAT(sent<Refused>(effects), ElementsAre(Pair(1, testing::_), Pair(2, testing::_)));

    const Effects late = run.join(3);
    ASSERT_THAT(sent<Refused>(late), SizeIs(1));
    EXPECT_EQ(sent<Refused>(late)[0].second.exit_code, exit_code::bad_input);
    EXPECT_THAT(sent<Welcome>(late), IsEmpty());
    // The first reason stays, and nothing is leased any more.
    EXPECT_THAT(all_of<EndJob>(run.say(1, Abort{21, "another"})), IsEmpty());
    EXPECT_THAT(leased(run.say(1, Want{5})), IsEmpty());
    EXPECT_THAT(leased(run.pass(100, {1, 2})), IsEmpty());
}

TEST(Coordinator, ARestartedRankReplacesItsPredecessor) {
    CoordinatorRun run(batches_of({1}));
    run.join(1, 1);
    Hello again = CoordinatorRun::hello(1);
    again.pid = 999;
    again.restart = 1;
    const Effects effects = run.say(2, again);
    EXPECT_THAT(all_of<EndJob>(effects), IsEmpty());
    EXPECT_THAT(sent<Welcome>(effects), SizeIs(1));
    EXPECT_EQ(run.coordinator.connected(), 1U);
    EXPECT_THAT(leased(run.say(2, Want{1})), ElementsAre(Pair(2, 0)));
    EXPECT_THAT(all_of<CloseSession>(run.say(1, Heartbeat{})), SizeIs(1));
}

/// It became two ranks of one connection, and the leases of the first were nobody's.
TEST(Coordinator, WhoAnnouncesItselfTwiceIsHungUpOn) {
    CoordinatorRun run(batches_of({1, 1}));
    run.join(1, 1);
    const Effects effects = run.say(1, CoordinatorRun::hello(2));
    EXPECT_THAT(all_of<CloseSession>(effects), SizeIs(1));
    EXPECT_THAT(sent<Welcome>(effects), IsEmpty());
    EXPECT_EQ(run.coordinator.connected(), 1U);
}

TEST(Coordinator, WhoWasReplacedIsRefusedAloneWhenItComesBack) {
    CoordinatorRun run(batches_of({1}));
    Hello successor = CoordinatorRun::hello(1);
    successor.pid = 999;
    successor.contract.attempt = 1;
    run.say(1, successor);
    const Effects effects = run.say(2, CoordinatorRun::hello(1));  // its node was cut off, and is reachable again
    EXPECT_THAT(all_of<EndJob>(effects), IsEmpty());
    ASSERT_THAT(sent<Refused>(effects), SizeIs(1));
    EXPECT_FALSE(exit_code::is_final(sent<Refused>(effects)[0].second.exit_code));
    EXPECT_THAT(sent<Refused>(effects)[0].second.message, HasSubstr("was replaced by pid 999"));
    EXPECT_THAT(leased(run.say(1, Want{1})), SizeIs(1));
}

struct FromAbove {
    const char* name;
    Message message;
};

class CoordinatorsOwnMessage : public testing::TestWithParam<FromAbove> {};

TEST_P(CoordinatorsOwnMessage, FromARankClosesItsConnection) {
    CoordinatorRun run(batches_of({1}));
    run.join(1);
    const Effects effects = run.say(1, GetParam().message);
    EXPECT_THAT(all_of<CloseSession>(effects), SizeIs(1));
    EXPECT_THAT(all_of<EndJob>(effects), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Table, CoordinatorsOwnMessage,
                         testing::Values(FromAbove{"Welcome", Welcome{}}, FromAbove{"Refused", Refused{}},
                                         FromAbove{"Lease", Lease{}}, FromAbove{"Ack", Ack{}},
                                         FromAbove{"Finished", Finished{}}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::test
