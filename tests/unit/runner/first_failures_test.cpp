// A run whose samples all fail for one reason ends before all of them have.
#include <gmock/gmock.h>

#include "api/exit_code.hpp"
#include "tests/unit/runner/coordinator_run.hpp"

namespace evaljob::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

constexpr const char* why = "the server refuses it: it answered 400: no temperature";

/// One rank and batches of `samples` each, the later ones cheaper; those of an odd number are of another dataset.
struct Failing : CoordinatorRun {
    explicit Failing(std::uint64_t count, std::uint32_t samples = 1) : CoordinatorRun(sized(count, samples), 1, 1) {
        join(1, 1);
    }
    static std::vector<BatchState> sized(std::uint64_t count, std::uint32_t samples) {
        std::vector<BatchState> batches;
        for (std::uint64_t i = 0; i < count; ++i)
            batches.push_back({samples, false, static_cast<std::uint32_t>(i % 2), 10 * (count - i)});
        return batches;
    }
    /// The lease that the rank holds is done: all its samples have failed for this reason; "": none has.
    Effects report(const std::string& failure, std::uint32_t samples = 1) {
        const Lease lease = last_lease[1];
        return say(1, Done{lease.number, lease.batch, samples, failure.empty() ? 0 : samples, 1'000, failure});
    }
    std::uint64_t held() { return last_lease[1].batch; }
};

TEST(FirstFailures, FiftyAlikeHaveTheCheapestAskedNextAndThenTheJobEnds) {
    Failing run(100);
    std::set<std::uint64_t> asked;
    for (std::uint64_t i = 0; i < first_failed_samples; ++i) {
        EXPECT_LT(run.held(), 95U) << "the longest first";
        run.report(std::string(why) + " " + std::to_string(i));
    }
    for (std::uint64_t i = 0; i + 1 < cheapest_samples; ++i) {
        asked.insert(run.held());
        EXPECT_THAT(all_of<EndJob>(run.report(std::string(why) + " 999")), IsEmpty());
    }
    asked.insert(run.held());
    EXPECT_THAT(asked, ElementsAre(95U, 96U, 97U, 98U, 99U));
    const Effects last = run.report(std::string(why) + " 1000");
    const auto ends = all_of<EndJob>(last);
    ASSERT_THAT(ends, SizeIs(1));
    EXPECT_EQ(ends[0].exit_code, exit_code::bad_input) << "which no restart follows";
    EXPECT_THAT(ends[0].message, HasSubstr("all of the first 55 samples failed alike, the cheapest ones too"));
    EXPECT_THAT(ends[0].message, HasSubstr(why));
    EXPECT_THAT(all_of<WriteDoneMarker>(last), IsEmpty());
    EXPECT_THAT(leased(last), IsEmpty());
}

TEST(FirstFailures, OneOfTheCheapestThatIsAnsweredLetsTheRunGoOn) {
    Failing run(100);
    for (int i = 0; i < 52; ++i) run.report(why);
    EXPECT_THAT(leased(run.report("")), SizeIs(1));
    EXPECT_LT(run.held(), 95U) << "the longest first again";
    for (int i = 53; i < 99; ++i) EXPECT_THAT(all_of<EndJob>(run.report(why)), IsEmpty());
    EXPECT_THAT(all_of<WriteDoneMarker>(run.report(why)), SizeIs(1));
}

struct Other {
    const char* name;
    const char* failure;
};

class Watched : public testing::TestWithParam<Other> {};

TEST_P(Watched, NoMoreOnceSomethingElseHasHappened) {
    Failing run(100);
    run.report(GetParam().failure);
    for (int i = 1; i < 99; ++i) ASSERT_THAT(all_of<EndJob>(run.report(why)), IsEmpty()) << i;
    EXPECT_THAT(all_of<WriteDoneMarker>(run.report(why)), SizeIs(1));
}

INSTANTIATE_TEST_SUITE_P(Table, Watched, testing::Values(Other{"AnAnswer", ""}, Other{"AnotherFailure", "other"}),
                         [](const auto& row) { return row.param.name; });

TEST(FirstFailures, OfARunThatHasAnsweredBeforeAreNoReason) {
    auto batches = Failing::sized(101, 1);
    batches[0].finished = true;
    CoordinatorRun run(batches, 2, 1);
    run.join(1, 1);
    for (int i = 0; i < 100; ++i) {
        const Lease lease = run.last_lease[1];
        ASSERT_THAT(all_of<EndJob>(run.say(1, Done{lease.number, lease.batch, 1, 1, 1'000, why})), IsEmpty()) << i;
    }
}

TEST(FirstFailures, OfEverythingAreTheMergesAffair) {
    Failing run(55);
    for (int i = 0; i < 54; ++i) ASSERT_THAT(all_of<EndJob>(run.report(why)), IsEmpty());
    EXPECT_THAT(all_of<WriteDoneMarker>(run.report(why)), SizeIs(1)) << "nothing is left to be spared";
}

TEST(FirstFailures, ACheapBatchWhoseRankIsLostIsAskedOfAnother) {
    Failing run(100);
    for (int i = 0; i < 50; ++i) run.report(why);
    const std::uint64_t lost = run.held();
    run.drop(1);
    run.join(2, 1);
    EXPECT_EQ(run.last_lease[2].batch, lost);
}

TEST(KindOfFailure, KnowsNoNumbers) {
    EXPECT_EQ(kind_of_failure("7.png: no"), kind_of_failure("812.png: no"));
    EXPECT_NE(kind_of_failure("7.png: no"), kind_of_failure("7.jpg: no"));
}

TEST(CheapestBatches, AreOfEachDatasetAndEnough) {
    const std::vector<BatchFeatures> all{{0, 2, 50}, {0, 2, 10}, {0, 2, 20}, {1, 1, 900}, {1, 1, 800}, {0, 2, 5}};
    const auto waits = [&](std::uint64_t i) { return i == 5 ? nullptr : &all[i]; };
    EXPECT_THAT(cheapest_of(all.size(), waits), ElementsAre(1U, 2U, 4U));
    EXPECT_THAT(cheapest_of(0, waits), IsEmpty());
}

}  // namespace
}  // namespace evaljob::test
