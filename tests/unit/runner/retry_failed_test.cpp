// What a run does in a folder where an earlier one has come to its end with failed samples: once they made its merge
// fail for ever, for the marker of the earlier run stood.
#include <gmock/gmock.h>

#include <set>

#include "evaljob-runner/launch/coordinator_run.hpp"
#include "evaljob-runner/manifest/run_folder.hpp"
#include "evaljob-runner/shard/shard_log.hpp"
#include "evaljob-runner/storage/files.hpp"
#include "tests/unit/runner/hellos.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::test {
namespace {

/// Four samples, a batch each. Samples 1 and 2 have failed.
class AfterAnEarlierRun : public testing::Test {
protected:
    AfterAnEarlierRun() {
        manifest_.config = {{"datasets", Json::array({{{"name", "one"}}})}};
        for (int i = 0; i < 4; ++i)
            manifest_.samples.push_back({0, std::to_string(i), std::string(32, 'b'), Json(i), ""});
        manifest_.batches = plan_batches(manifest_.samples, 1, 1);
        EXPECT_TRUE(settle_manifest(manifest_, folder_.path()));
        add_log("run-1", {1, 1}, {0, 3}, {1, 2});
    }

    void add_log(const std::string& run, LeaseNumber lease, const std::set<int>& answered,
                 const std::set<int>& failed) {
        const std::string folder = folder_ / ("runs/" + run + "/node-0/attempt-0");
        EXPECT_TRUE(make_folders(folder));
        ShardHeader header;
        header.identity = identity_of(manifest_);
        auto writer = ShardWriter::create(folder + "/rank-0.0.shard", header);
        ASSERT_TRUE(writer);
        for (const int i : answered)
            EXPECT_TRUE(writer->append(Record{0, std::to_string(i), 0, lease, Json(7), Json::object(), ""}));
        for (const int i : failed)
            EXPECT_TRUE(writer->append(Record{0, std::to_string(i), 0, lease, Json(), Json::object(), "no server"}));
        EXPECT_TRUE(writer->close());
    }

    void mark(const std::string& run) { ASSERT_TRUE(write_done_marker(manifest_, folder_.path(), {1, run})); }

    struct Start {
        std::set<std::uint64_t> leased;  // batches
        bool finished = false;
    };
    Start start(const std::string& run, FailedBefore failed) {
        CoordinatorOptions options;
        options.token = run_token;
        options.expected = expected_of(1, 1);
        options.expected.run_id = run;
        Start start;
        auto opened = ::evaljob::CoordinatorRun::open(manifest_, folder_.path(), options,
                                                      {[&](SessionId, const Message& message) {
                                                           if (const auto* lease = std::get_if<Lease>(&message))
                                                               start.leased.insert(lease->batch);
                                                           start.finished |= std::holds_alternative<Finished>(message);
                                                       },
                                                       [](SessionId) {}, [](int, const std::string&) {}, [] {}, [] {}},
                                                      failed);
        EXPECT_TRUE(opened) << opened.error().message;
        if (!opened) return start;
        (*opened)->start(1'000);
        Hello hello = hello_of(1, 1, 0, 0);
        hello.contract.run_id = run;
        (*opened)->message(1, hello, 1'000);
        (*opened)->message(1, Want{64}, 1'000);
        return start;
    }

    std::string marked_by() const { return standing_marker(folder_.path(), identity_of(manifest_))->run_id; }

    TemporaryFolder folder_;
    Manifest manifest_;
};

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(AfterAnEarlierRun, MoreFailuresThanAreBearableAreTriedAgain) {
    mark("run-1");
    const Start again = start("run-2", {1, false});
    EXPECT_THAT(again.leased, ElementsAre(1, 2));
    EXPECT_FALSE(again.finished);
    EXPECT_EQ(marked_by(), "run-1") << "what stands, stands until there is another";
    EXPECT_FALSE(is_done(folder_.path(), "run-2")) << "ranks do not take the earlier run's end for theirs";
}

TEST_F(AfterAnEarlierRun, FailuresThatAreBearableStand) {
    mark("run-1");
    const Start again = start("run-2", {2, false});
    EXPECT_THAT(again.leased, IsEmpty());
    EXPECT_TRUE(again.finished);
    EXPECT_TRUE(is_done(folder_.path(), "run-2")) << "late ranks find their own run's end";
}

TEST_F(AfterAnEarlierRun, EvenTheseAreTriedAgainWhenThatIsAskedFor) {
    mark("run-1");
    EXPECT_THAT(start("run-2", {2, true}).leased, ElementsAre(1, 2));
}

TEST_F(AfterAnEarlierRun, AWholeResultStandsWhateverIsAskedFor) {
    add_log("run-2", {2, 1}, {1, 2}, {});
    mark("run-2");
    const Start again = start("run-3", {0, true});
    EXPECT_THAT(again.leased, IsEmpty());
    EXPECT_TRUE(again.finished);
}

TEST_F(AfterAnEarlierRun, ARestartBehindTheOwnMarkerTriesNothingAgain) {
    mark("run-2");
    for (const FailedBefore failed : {FailedBefore{0, false}, FailedBefore{0, true}}) {
        const Start again = start("run-2", failed);
        EXPECT_THAT(again.leased, IsEmpty());
        EXPECT_TRUE(again.finished);
    }
}

TEST_F(AfterAnEarlierRun, AMarkerWithoutARunIsAnEarlierRuns) {
    mark("");
    EXPECT_THAT(start("run-2", {1, false}).leased, ElementsAre(1, 2));
}

TEST_F(AfterAnEarlierRun, WithoutAMarkerAllFailuresAreTriedAgain) {
    EXPECT_THAT(start("run-2", {2, false}).leased, ElementsAre(1, 2));
}

TEST_F(AfterAnEarlierRun, ALogThatHasGoneSinceIsEvaluatedAgain) {
    mark("run-1");
    std::filesystem::remove_all(folder_ / "runs/run-1");
    EXPECT_THAT(start("run-2", {2, false}).leased, ElementsAre(0, 1, 2, 3));
}

TEST_F(AfterAnEarlierRun, AMarkerOfALaterRunIsNotWrittenOver) {
    add_log("run-2", {2, 1}, {1, 2}, {});
    ASSERT_TRUE(write_done_marker(manifest_, folder_.path(), {9, "run-2"}));
    start("run-1", {0, false});
    EXPECT_EQ(marked_by(), "run-2");
}

}  // namespace
}  // namespace evaljob::test
