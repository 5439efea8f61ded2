// Records become durable while the next batch is computed; nothing is reported before.
#include "evaljob-runner/rank/record_writer.hpp"

#include <gmock/gmock.h>

#include <future>
#include <string>
#include <vector>

#include "evaljob-runner/shard/shard_log.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::test {
namespace {

using testing::ElementsAre;

EvaluatedLease evaluated(std::uint64_t batch) {
    const LeaseNumber number{1, batch};
    Record record;
    record.id = std::to_string(batch);
    record.lease = number;
    record.prediction = 1;
    return {{number, batch}, {record}, 0, 10};
}

std::vector<std::uint64_t> batches_in(const std::string& path) {
    std::vector<std::uint64_t> batches;
    const auto read =
        read_shard_file(path, UINT64_MAX, {{}, [&](const BatchEnd& end) { batches.push_back(end.batch); }});
    EXPECT_TRUE(read) << read.error().message;
    return batches;
}

std::vector<Report> reports_of(const std::vector<EvaluatedLease>& leases) {
    std::vector<Report> reports;
    for (const EvaluatedLease& lease : leases)
        reports.push_back({{lease.lease.number, lease.lease.batch, 1, 0, 10}, ""});
    return reports;
}

TEST(RecordWriter, TellsOfALeaseOnceItsRecordsAreInTheLog) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/rank.shard";
    RankLog log = *ShardWriter::create(path, {});
    std::vector<std::uint64_t> told;
    RecordWriter writer([&](const auto& leases) { return record_leases(leases, log); },
                        [&](const Report& report) {
                            EXPECT_THAT(batches_in(path), testing::Contains(report.done.batch));
                            told.push_back(report.done.batch);
                        },
                        [] {});
    for (const std::uint64_t batch : {7U, 3U, 5U}) ASSERT_TRUE(writer.put(evaluated(batch)));
    ASSERT_TRUE(writer.flush());
    EXPECT_THAT(told, ElementsAre(7, 3, 5));
    EXPECT_THAT(batches_in(path), ElementsAre(7, 3, 5));
}

struct Failures {
    const char* name;
    std::vector<std::string> errors;  // of a batch's samples; "": it has not failed
    std::string failure;              // that is reported
};

class FailuresOfABatch : public testing::TestWithParam<Failures> {};

TEST_P(FailuresOfABatch, AreReportedWhenTheyAreAlike) {
    RankLog log = ShardEncoder(ShardHeader{});
    EvaluatedLease batch = evaluated(1);
    batch.records.clear();
    for (const std::string& error : GetParam().errors) {
        Record record = evaluated(1).records.front();
        if (!error.empty()) record.prediction = nullptr;
        record.error = error;
        batch.records.push_back(record);
    }
    const auto reports = record_leases({batch}, log);
    ASSERT_TRUE(reports) << reports.error().message;
    EXPECT_EQ(reports->front().done.failure, GetParam().failure);
}

INSTANTIATE_TEST_SUITE_P(Table, FailuresOfABatch,
                         testing::Values(Failures{"None", {"", ""}, ""}, Failures{"One", {"no", ""}, ""},
                                         Failures{"Alike", {"line 7: no", "line 81: no"}, "line 7: no"},
                                         Failures{"NotAlike", {"no", "never"}, ""},
                                         Failures{"Long", {std::string(9'999, 'x')}, std::string(484, 'x')}),
                         [](const auto& row) { return row.param.name; });

TEST(RecordWriter, WritesTogetherWhatHasGatheredMeanwhile) {
    std::promise<void> first_begun;
    std::promise<void> go_on;
    std::vector<std::size_t> groups;
    RecordWriter writer(
        [&](const auto& leases) -> Result<std::vector<Report>> {
            groups.push_back(leases.size());
            if (groups.size() == 1) {
                first_begun.set_value();
                go_on.get_future().wait();
            }
            return reports_of(leases);
        },
        [](const Report&) {}, [] {});
    ASSERT_TRUE(writer.put(evaluated(0)));
    first_begun.get_future().wait();
    ASSERT_TRUE(writer.put(evaluated(1)));
    ASSERT_TRUE(writer.put(evaluated(2)));
    go_on.set_value();
    ASSERT_TRUE(writer.flush());
    EXPECT_THAT(groups, ElementsAre(1, 2));
}

TEST(RecordWriter, TellsOfNothingAfterAFailure) {
    std::vector<std::uint64_t> told;
    std::promise<void> failed;
    RecordWriter writer(
        [](const auto& leases) -> Result<std::vector<Report>> {
            if (leases.front().lease.batch == 2) return fail("NoSpace", "the disk is full");
            return reports_of(leases);
        },
        [&](const Report& report) { told.push_back(report.done.batch); }, [&] { failed.set_value(); });
    ASSERT_TRUE(writer.put(evaluated(1)));
    ASSERT_TRUE(writer.flush());
    ASSERT_TRUE(writer.put(evaluated(2)));
    failed.get_future().wait();
    EXPECT_EQ(writer.flush().error().reason, "NoSpace");
    EXPECT_EQ(writer.put(evaluated(3)).error().reason, "NoSpace");
    EXPECT_THAT(told, ElementsAre(1));
}

TEST(RecordWriter, WritesWhatItHasBeforeItEnds) {
    std::vector<std::uint64_t> told;
    {
        RecordWriter writer([](const auto& leases) -> Result<std::vector<Report>> { return reports_of(leases); },
                            [&](const Report& report) { told.push_back(report.done.batch); }, [] {});
        for (const std::uint64_t batch : {1U, 2U}) ASSERT_TRUE(writer.put(evaluated(batch)));
    }
    EXPECT_THAT(told, ElementsAre(1, 2));
}

TEST(RecordLeases, SendsNode0TheBytesOfEachLease) {
    RankLog log = ShardEncoder({});
    (void)std::get<ShardEncoder>(log).take();
    const auto reports = record_leases({evaluated(1), evaluated(2)}, log);
    ASSERT_TRUE(reports);
    ASSERT_EQ(reports->size(), 2U);
    EXPECT_FALSE((*reports)[0].log_bytes.empty());
    EXPECT_EQ((*reports)[0].log_bytes.size(), (*reports)[1].log_bytes.size());
}

}  // namespace
}  // namespace evaljob::test
