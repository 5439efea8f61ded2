#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "api/exit_code.hpp"
#include "evaljob-runner/merge/merge.hpp"
#include "run_folder.hpp"

namespace evaljob {
namespace {

using test::answer;
using test::batch;
using test::failed;
using test::RunFolder;
using testing::HasSubstr;
namespace fs = std::filesystem;

/// Faults that must be named, publish nothing and end with the code that no restart can mend.
struct FaultRow {
    const char* name;
    std::function<void(RunFolder&)> happens;  // to an empty folder
    std::vector<std::string> named;           // what the message must hold
};
void PrintTo(const FaultRow& row, std::ostream* out) { *out << row.name; }

void flip_byte(const RunFolder& run, const std::string& path, std::size_t at) {
    std::string bytes = run.read(path);
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    std::ofstream(run.shared + "/" + path, std::ios::binary) << bytes;
}

const FaultRow faults[] = {
    {"NothingThere", [](RunFolder&) {}, {"manifest.jsonl", "missing"}},
    {"NoDoneMarker",
     [](RunFolder& run) {
         run.add_whole_run();
         run.finish();
         fs::remove(run.shared + "/done.json");
     },
     {"done.json", "has not finished"}},
    {"RecordMissing",
     [](RunFolder& run) {
         run.add_shard(0, batch(0, {1, 0}), 0);
         run.add_shard(1, batch(1, {1, 1}), 1);
         run.add_shard(0, {answer(8, {1, 2}), answer(10, {1, 2}), answer(11, {1, 2})}, 2);
         run.finish();
     },
     {"1 of 12 samples have no record", "9"}},
    {"RecordForeign",
     [](RunFolder& run) {
         run.add_whole_run();
         Record stranger = answer(3, {1, 5});
         stranger.id = "no-such-sample";
         run.add_shard(2, {stranger}, 5);
         run.finish();
     },
     {"1 foreign record", "no-such-sample", "rank-2-5.shard"}},
    {"LogOfAnotherEvaluation",
     [](RunFolder& run) {
         run.add_whole_run();
         run.foreign_identity = std::string(64, 'f');
         run.add_shard(2, batch(0, {1, 5}), 5);
         run.foreign_identity.clear();
         run.finish();
     },
     {"rank-2-5.shard", "another evaluation", "4 foreign records"}},
    {"ByteDamagedInTheMiddle",
     [](RunFolder& run) {
         run.add_whole_run();
         run.finish();
         flip_byte(run, run.shards[1], fs::file_size(run.shared + "/" + run.shards[1]) / 2);
     },
     {"rank-1-1.shard", "damaged"}},
    {"ByteDamagedInALogWithoutFooter",
     [](RunFolder& run) {
         run.add_shard(0, batch(0, {1, 0}), 0, false);
         run.add_shard(1, batch(1, {1, 1}), 1);
         run.add_shard(2, batch(2, {1, 2}), 2);
         run.finish();
         flip_byte(run, run.shards[0], fs::file_size(run.shared + "/" + run.shards[0]) - 3);
     },
     {"rank-0-0.shard", "damaged"}},
    {"HeaderDamaged",
     [](RunFolder& run) {
         run.add_whole_run();
         run.finish();
         flip_byte(run, run.shards[2], 20);
     },
     {"rank-0-2.shard"}},
    {"LogCutShort",
     [](RunFolder& run) {
         run.add_whole_run();
         run.finish();
         fs::resize_file(run.shared + "/" + run.shards[2], fs::file_size(run.shared + "/" + run.shards[2]) - 1);
     },
     {"rank-0-2.shard"}},
    {"LogGone",
     [](RunFolder& run) {
         run.add_whole_run();
         run.finish();
         fs::remove(run.shared + "/" + run.shards[1]);
     },
     {"rank-1-1.shard", "4 of 12 samples have no record"}},
    {"LogExchangedForAnotherSoundOne",
     [](RunFolder& run) {
         run.add_whole_run();
         run.finish();
         RunFolder liar;
         std::vector<Record> records = batch(1, {1, 1});
         records[1].prediction = 0;  // sample 5 is a Bag
         liar.add_shard(1, records, 1);
         fs::copy_file(liar.shared + "/" + liar.shards[0], run.shared + "/" + run.shards[1],
                       fs::copy_options::overwrite_existing);
     },
     {"rank-1-1.shard", "digest"}},
    {"MarkerDamaged",
     [](RunFolder& run) {
         run.add_whole_run();
         run.finish();
         flip_byte(run, "done.json", run.read("done.json").find("sha256") + 15);
     },
     {"done.json"}},
    {"ManifestDamaged",
     [](RunFolder& run) {
         run.add_whole_run();
         run.finish();
         flip_byte(run, "manifest.jsonl", run.read("manifest.jsonl").find("Coat"));
     },
     {"manifest.jsonl"}},
    {"MarkerOfAnotherEvaluation",
     [](RunFolder& run) {
         run.add_whole_run();
         run.finish();
         run.write("done.json", encode_done_marker({std::string(64, 'e'), 1, 12, {}}));
     },
     {"done.json is of another evaluation"}},
    {"TooManyFailed",
     [](RunFolder& run) {
         run.add_whole_run();
         fs::remove_all(run.shared + "/runs");
         run.shards.clear();
         run.add_shard(0, batch(0, {1, 0}), 0);
         run.add_shard(1, batch(1, {1, 1}), 1);
         run.add_shard(0, {failed(8, {1, 2}), answer(9, {1, 2}), answer(10, {1, 2}), answer(11, {1, 2})}, 2);
         run.finish();
     },
     {"1 of 12 samples failed", "merge.maxFailedSamples is 0", "8"}},
};

class MergeRefuses : public testing::TestWithParam<FaultRow> {};

TEST_P(MergeRefuses, AndNamesTheFault) {
    RunFolder run;
    GetParam().happens(run);
    MergeOutcome outcome = run_merge(run.options());
    EXPECT_EQ(outcome.exit_code, exit_code::proof);
    EXPECT_FALSE(outcome.report.published);
    EXPECT_THAT(outcome.report.metrics, testing::IsEmpty());
    for (const std::string& part : GetParam().named) EXPECT_THAT(outcome.report.error, HasSubstr(part));
    EXPECT_FALSE(run.exists("CURRENT"));
    EXPECT_FALSE(run.exists("results"));
}

INSTANTIATE_TEST_SUITE_P(Faults, MergeRefuses, testing::ValuesIn(faults),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob
