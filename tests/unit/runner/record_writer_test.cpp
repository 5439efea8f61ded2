// Groups are written beside whoever puts them.
#include "evaljob-runner/rank/record_writer.hpp"

#include <gmock/gmock.h>

#include <future>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "evaljob-runner/rank/rank_log.hpp"
#include "evaljob-runner/shard/shard_log.hpp"

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

std::vector<std::uint64_t> batches_of(const std::vector<EvaluatedLease>& leases) {
    std::vector<std::uint64_t> batches;
    for (const EvaluatedLease& lease : leases) batches.push_back(lease.lease.batch);
    return batches;
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

TEST(RecordWriter, WritesOnAThreadOfItsOwnWhileWhoeverPutsGoesOn) {
    std::promise<void> go_on;
    std::promise<std::thread::id> written;
    RecordWriter writer([&](const auto&) {
        go_on.get_future().wait();
        written.set_value(std::this_thread::get_id());
    });
    writer.put({evaluated(1)});
    go_on.set_value();
    EXPECT_NE(written.get_future().get(), std::this_thread::get_id());
}

TEST(RecordWriter, TakesTheNextGroupFromWhoeverIsToldOfTheOneBefore) {
    std::vector<std::vector<std::uint64_t>> groups;
    std::promise<void> both;
    RecordWriter* self = nullptr;
    RecordWriter writer([&](const auto& leases) {
        groups.push_back(batches_of(leases));
        if (groups.size() == 1)
            self->put({evaluated(2), evaluated(3)});
        else
            both.set_value();
    });
    self = &writer;
    writer.put({evaluated(1)});
    both.get_future().wait();
    EXPECT_THAT(groups, ElementsAre(ElementsAre(1), ElementsAre(2, 3)));
}

TEST(RecordWriter, WritesWhatItHasBeforeItEnds) {
    std::vector<std::uint64_t> told;
    {
        RecordWriter writer([&](const auto& leases) { told = batches_of(leases); });
        writer.put({evaluated(1), evaluated(2)});
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
