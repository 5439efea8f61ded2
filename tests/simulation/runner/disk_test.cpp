// The simulated disk is as strict as it says, and what the simulation has found stays mended.
#include <fcntl.h>
#include <gtest/gtest.h>

#include "api/exit_code.hpp"
#include "evaljob-runner/launch/coordinator_run.hpp"
#include "evaljob-runner/manifest/run_folder.hpp"
#include "evaljob-runner/rank/rank_log.hpp"
#include "evaljob-runner/storage/files.hpp"
#include "evaljob-runner/storage/layout.hpp"
#include "tests/simulation/runner/job.hpp"
#include "tests/simulation/runner/simulated_disk.hpp"

namespace evaljob::simulation {
namespace {

/// Somebody who lives until he is told otherwise.
class Somebody : public DiskCaller {
public:
    bool dead() const override { return is_dead; }
    Cut change(const std::string& call, const std::string& /*path*/) override {
        return call == dies_at ? Cut::After : Cut::None;
    }
    void die() override { is_dead = true; }
    void fault(const char* /*name*/) override {}
    std::int64_t now() const override { return time; }

    bool is_dead = false;
    std::string dies_at;  // behind this call
    std::int64_t time = 0;
};

class Disk : public testing::Test {
protected:
    Disk() : before_(std::exchange(disk_here(), &disk_)) {
        disk_.make_folder("/volume");
        EXPECT_TRUE(make_folders(shared_folder));
    }
    ~Disk() override { disk_here() = before_; }

    RankLog log_of(std::int32_t rank, bool whole) {
        ShardHeader header;
        header.identity = identity_of(manifest_);
        auto writer = create_rank_log(hello_of(RunContract{1, 2}, rank, 0, 0).contract, header);
        EXPECT_TRUE(writer) << writer.error().message;
        RankLog log(std::move(*writer));
        for (std::uint64_t batch = 0; whole && batch < manifest_.batches.size(); ++batch)
            EXPECT_TRUE(record({{1, batch}, batch}, log));
        return log;
    }
    bool record(const Lease& lease, RankLog& log) const {
        return record_leases({{lease, records_of(manifest_, lease), 0, 1}}, log).has_value();
    }
    /// The records of batch 0 behind what is there, written but never made durable.
    void leave_behind(RankLog& log) {
        somebody_.dies_at = "write";
        EXPECT_FALSE(record({{1, 99}, 0}, log));
        somebody_ = {};
    }

    const Manifest manifest_ = manifest_of({6, 2});
    Somebody somebody_;
    SimulatedDisk disk_{1, somebody_};
    SimulatedDisk* before_;
};

TEST_F(Disk, LosesWhatWasNotMadeDurable) {
    ASSERT_TRUE(write_file_durably(std::string(shared_folder) + "/kept", "kept"));
    bool lost = false;
    for (int i = 0; i < 20; ++i) {
        const std::string path = std::string(shared_folder) + "/file" + std::to_string(i);
        const int file = disk_.open(path, O_WRONLY | O_CREAT | O_EXCL);
        EXPECT_EQ(disk_.write(file, "bytes", 5), 5);
        EXPECT_FALSE(disk_.survives(path, 5));
        disk_.lose_power();
        const auto there = read_file(path, 100);
        lost = lost || !there || *there != "bytes";
    }
    EXPECT_TRUE(lost);
    EXPECT_EQ(read_file(std::string(shared_folder) + "/kept", 100).value(), "kept");
}

TEST_F(Disk, AFailedFsyncLeavesInMemoryWhatTheDiskDoesNotHave) {
    const std::string path = std::string(shared_folder) + "/file";
    const int file = disk_.open(path, O_WRONLY | O_CREAT | O_EXCL);
    const std::string bytes(4'096, 'x');
    EXPECT_EQ(disk_.write(file, bytes.data(), bytes.size()), 4'096);
    disk_.faults.sync_error = 1;
    EXPECT_EQ(disk_.sync(file), -1);
    disk_.faults = {};
    EXPECT_EQ(disk_.sync(file), 0) << "nothing is dirty any more";
    EXPECT_EQ(read_file(path, 1 << 20).value(), bytes);
    disk_.forget_cached(file);
    EXPECT_NE(read_file(path, 1 << 20).value(), bytes);
}

TEST_F(Disk, ADeadCallersCallsHaveNoEffect) {
    somebody_.dies_at = "create";
    EXPECT_FALSE(write_file_durably(std::string(shared_folder) + "/file", "bytes"));
    somebody_ = {};
    EXPECT_EQ(list_files(shared_folder, "").value().size(), 1U) << "the temporary file, which nobody removed";
}

// What the simulation has found. A marker that lists more than the disk holds fails the merge for good.

TEST_F(Disk, AnInventoryMakesDurableWhatADeadRankHadOnlyWritten) {
    auto log = log_of(0, true);
    leave_behind(log);
    const auto marker = write_done_marker(manifest_, shared_folder, {1, "run-1"});
    ASSERT_TRUE(marker) << marker.error().message;
    for (const DoneShard& shard : marker->shards)
        EXPECT_TRUE(disk_.survives(std::string(shared_folder) + "/" + shard.path, shard.length));
}

TEST_F(Disk, AnInventoryDoesNotSeeWhatAFailedFsyncLeftInMemory) {
    auto log = log_of(0, false);
    disk_.faults.sync_error = 1;
    EXPECT_FALSE(record({{1, 1}, 0}, log));
    disk_.faults = {};
    const auto inventory = take_inventory(manifest_, shared_folder, 0);
    ASSERT_TRUE(inventory);
    for (const DoneShard& shard : inventory->shards)
        EXPECT_TRUE(disk_.survives(std::string(shared_folder) + "/" + shard.path, shard.length));
}

TEST_F(Disk, FoldersThatAnotherMadeAndDidNotMakeDurableAreMadeDurable) {
    const std::string made = std::string(shared_folder) + "/runs";
    disk_.make_folder(made);
    disk_.make_folder(made + "/run-1");
    EXPECT_FALSE(disk_.survives(made + "/run-1", 0));
    ASSERT_TRUE(make_folders(made + "/run-1/node-0"));
    EXPECT_TRUE(disk_.survives(made + "/run-1/node-0", 0));
}

TEST_F(Disk, AnEmptyLogThatTheMarkerListsIsDurable) {
    auto log = log_of(0, true);
    const std::string folder = std::string(shared_folder) + "/runs/run-1/node-1";
    disk_.make_folder(folder);
    disk_.make_folder(folder + "/attempt-0");
    somebody_.dies_at = "fsync";  // the log's first: its header is there, its name is not durable
    ShardHeader header;
    header.identity = identity_of(manifest_);
    EXPECT_FALSE(ShardWriter::create(folder + "/attempt-0/rank-1.0.shard", header));
    somebody_ = {};
    const auto marker = write_done_marker(manifest_, shared_folder, {1, "run-1"});
    ASSERT_TRUE(marker) << marker.error().message;
    ASSERT_EQ(marker->shards.size(), 2U);
    for (const DoneShard& shard : marker->shards)
        EXPECT_TRUE(disk_.survives(std::string(shared_folder) + "/" + shard.path, shard.length));
}

TEST_F(Disk, AMarkerThatADyingCoordinatorRenamedIsMadeDurableByTheNext) {
    auto log = log_of(0, true);
    ASSERT_TRUE(settle_manifest(manifest_, shared_folder));
    somebody_.dies_at = "rename";
    EXPECT_FALSE(write_done_marker(manifest_, shared_folder, {1, "run-1"}));
    somebody_ = {};
    ASSERT_TRUE(is_done(shared_folder, "run-1"));
    EXPECT_FALSE(disk_.survives(layout::done_marker(shared_folder), 1));
    const auto run = open_run_folder(manifest_, shared_folder);
    ASSERT_TRUE(run) << run.error().message;
    EXPECT_TRUE(run->marker);
    EXPECT_TRUE(disk_.survives(layout::done_marker(shared_folder), 1));
}

TEST_F(Disk, ACoordinatorWhoseMarkerAnotherOneWroteComesToItsEnd) {
    bool finished = false;
    auto run = CoordinatorRun::open(
        manifest_, shared_folder, {},
        {[](SessionId, const Message&) {}, [](SessionId) {}, [](int, const std::string&) {}, [&] { finished = true; }});
    ASSERT_TRUE(run);
    (*run)->start(0);
    (*run)->tick(500);
    EXPECT_FALSE(finished);
    auto log = log_of(0, true);
    ASSERT_TRUE(write_done_marker(manifest_, shared_folder, {7, "run-1"}));
    (*run)->tick(1'000);
    EXPECT_TRUE(finished);
}

// A network file system lists a folder as it was half a minute ago.

/// A coordinator of run 1 with one rank, on a disk whose listings may be stale.
class StaleListing : public Disk {
protected:
    void open() {
        CoordinatorOptions options;
        options.token = contract_.token();
        options.expected = {contract_.id(), contract_.ranks, 1, "cpu"};
        auto run = CoordinatorRun::open(
            manifest_, shared_folder, options,
            {[this](SessionId, const Message& message) {
                 if (const auto* lease = std::get_if<Lease>(&message)) leases_.push_back(*lease);
             },
             [](SessionId) {}, [this](int code, const std::string& why) { ended_ = std::to_string(code) + ": " + why; },
             [this] { finished_ = true; }, [] {}});
        ASSERT_TRUE(run) << run.error().message;
        run_ = std::move(*run);
        run_->start(somebody_.time);
        run_->message(1, hello_of(contract_, 0, 0, 0), somebody_.time);
        run_->message(1, Want{64}, somebody_.time);
    }

    /// The rank evaluates everything; `tells`: it names its log.
    void evaluate(bool tells) {
        RankLog log = log_of(0, false);
        while (!leases_.empty()) {
            const Lease lease = leases_.front();
            leases_.erase(leases_.begin());
            auto reports = record_leases({{lease, records_of(manifest_, lease), 0, 1}}, log);
            ASSERT_TRUE(reports) << reports.error().message;
            Done done = reports->front().done;
            if (!tells) done.log.clear();
            run_->message(1, done, somebody_.time);
            run_->commit(somebody_.time);
        }
    }

    void pass(std::int64_t milliseconds) {
        for (const std::int64_t until = somebody_.time + milliseconds; somebody_.time < until;) {
            somebody_.time += 500;
            run_->tick(somebody_.time);
        }
    }

    bool marker_stands() const { return is_done(shared_folder, contract_.id()); }

    const RunContract contract_{1, 1};
    std::unique_ptr<CoordinatorRun> run_;
    std::vector<Lease> leases_;
    std::string ended_;
    bool finished_ = false;
};

TEST_F(StaleListing, ALogThatIsNotListedYetIsReadByTheNameThatItsRankTold) {
    ASSERT_TRUE(make_folders(layout::runs(shared_folder)));
    disk_.faults.stale_listing = 30'000;
    open();
    evaluate(true);
    EXPECT_TRUE(list_files(layout::runs(shared_folder), ".shard").value().empty());
    EXPECT_TRUE(marker_stands()) << ended_;
    EXPECT_EQ(ended_, "");
}

TEST_F(StaleListing, ANameIsDurableBeforeAReportFromItsLogCounts) {
    open();
    RankLog log = log_of(0, false);
    auto reports = record_leases({{leases_.front(), records_of(manifest_, leases_.front()), 0, 1}}, log);
    ASSERT_TRUE(reports);
    run_->message(1, reports->front().done, somebody_.time);
    EXPECT_EQ(run_->progress(somebody_.time).samples_done, 0U);
    run_->commit(somebody_.time);
    EXPECT_GT(run_->progress(somebody_.time).samples_done, 0U);
    const std::string names = read_file(layout::epoch(shared_folder, 1), 1 << 20).value();
    EXPECT_EQ(names, "runs/run-1/node-0/attempt-0/rank-0.0.shard\n");
    EXPECT_TRUE(disk_.survives(layout::epoch(shared_folder, 1), names.size()));
}

TEST_F(StaleListing, TheNextCoordinatorReadsWhatItsPredecessorHasWrittenDown) {
    ASSERT_TRUE(make_folders(layout::runs(shared_folder)));
    disk_.faults.stale_listing = 30'000;
    open();
    evaluate(true);
    ASSERT_EQ(disk_.unlink(layout::done_marker(shared_folder)), 0);
    open();
    EXPECT_EQ(run_->epoch(), 2U);
    EXPECT_EQ(run_->progress(somebody_.time).samples_resumed, manifest_.items());
}

TEST_F(StaleListing, ARecordThatDoesNotShowYetIsLookedForAgain) {
    ASSERT_TRUE(make_folders(layout::runs(shared_folder)));
    disk_.faults.stale_listing = 30'000;
    open();
    evaluate(false);
    EXPECT_FALSE(marker_stands());
    pass(20'000);
    EXPECT_FALSE(marker_stands());
    EXPECT_EQ(ended_, "");
    pass(25'000);
    EXPECT_TRUE(marker_stands());
    EXPECT_EQ(ended_, "");
}

TEST_F(StaleListing, ARecordThatNeverShowsEndsTheRunAfterAMinute) {
    ASSERT_TRUE(make_folders(layout::runs(shared_folder)));
    disk_.faults.stale_listing = 3'600'000;
    open();
    evaluate(false);
    pass(59'000);
    EXPECT_EQ(ended_, "");
    pass(20'000);
    EXPECT_NE(ended_.find("sample 0 was reported done, but no shard log holds a record of it"), std::string::npos)
        << ended_;
    EXPECT_FALSE(marker_stands());
}

}  // namespace
}  // namespace evaljob::simulation
