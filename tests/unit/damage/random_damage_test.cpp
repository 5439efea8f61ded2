// One random byte of one random file of a run's folder is damaged; then the user does what a user would do: the same
// command again. Either that is noticed and named, or it changes nothing: never another score.
// EVALJOB_SEED=N tries one seed alone, EVALJOB_SEEDS=N the first N (500) of each kind.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <ostream>
#include <random>

#include "api/exit_code.hpp"
#include "evaljob-runner/manifest/run_folder.hpp"
#include "evaljob-runner/merge/merge.hpp"
#include "tests/unit/merge/run_folder.hpp"

namespace evaljob::test {
namespace {

/// Whole files, by their paths in the folder.
using Files = std::map<std::string, std::string>;

/// A run's folder on disk; in memory where the machine has a place for that, because there fsync costs nothing.
class Folder {
public:
    explicit Folder(const Files& files = {}) {
        const fs::path place = fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
        path_ = (place / ("evaljob-damage-" + std::to_string(::getpid()))).string();
        fs::remove_all(path_);
        fs::create_directories(path_);
        for (const auto& [name, bytes] : files) {
            fs::create_directories(fs::path(path_ + "/" + name).parent_path());
            std::ofstream(path_ + "/" + name, std::ios::binary) << bytes;
        }
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    const std::string& path() const { return path_; }
    Files files() const { return files_of(path_); }
    static Files files_of(const std::string& path) {
        Files files;
        const std::vector<std::string> names = list_files(path, "").value();
        for (const auto& name : names) {
            std::ifstream in(path + "/" + name, std::ios::binary);
            files[name] = std::string(std::istreambuf_iterator<char>(in), {});
        }
        return files;
    }

private:
    std::string path_;
};

/// What stands published: CURRENT, and the files of the folder it names that the digest covers.
Files published(const Files& all) {
    Files found;
    const auto current = all.find("CURRENT");
    if (current == all.end()) return found;
    found["CURRENT"] = current->second;
    for (const char* name : {"results.jsonl", "metrics.json", "results.csv", "confusion.csv", "SHA256SUMS"}) {
        const auto file = all.find("results/" + current->second.substr(0, current->second.find('\n')) + "/" + name);
        if (file != all.end()) found[name] = file->second;
    }
    return found;
}

enum class LogEnd { Footer, Open, Torn };

/// A rank's log of these batches, as the fake model answers.
void write_log(const std::string& shared, const Manifest& manifest, std::uint32_t epoch, int rank,
               const std::vector<std::uint64_t>& batches, LogEnd end) {
    const std::string folder = shared + "/runs/run-" + std::to_string(epoch) + "/node-0/attempt-0";
    fs::create_directories(folder);
    const std::string path = folder + "/rank-" + std::to_string(rank) + "." + std::to_string(epoch) + ".shard";
    ShardHeader header{identity_of(manifest), "run", rank, 0, rank, 0, "cpu", "libtorch 2.11.0", 1, 1'700'000'000'000};
    auto writer = ShardWriter::create(path, header);
    bool good = writer.has_value();
    for (const std::uint64_t number : batches) {
        const LeaseNumber lease{epoch, number + 1};
        for (const Record& record : batch(static_cast<int>(number), lease)) good = good && writer->append(record);
        good = good && writer->append(BatchEnd{number, lease, 1'700'000'000'000, 1'700'000'100'000, 4});
    }
    good = good && (end == LogEnd::Footer ? writer->close() : writer->commit());
    if (!good) throw std::runtime_error("cannot write " + path);
    if (end == LogEnd::Torn) std::ofstream(path, std::ios::binary | std::ios::app) << "torn";
}

/// What the coordinator does in a folder that may hold something already, with the fake model in place of ranks.
/// `noticed` is what it says of the logs that it passes over.
Result<void> run_again(const std::string& shared, const Manifest& manifest, std::vector<std::string>& noticed) {
    const auto run = open_run_folder(manifest, shared);
    if (!run) return tl::unexpected(run.error());
    noticed = run->inventory.notes;
    std::vector<std::uint64_t> unfinished;
    const auto states = batch_states(manifest, run->inventory, is_settled(*run, {}));
    for (std::uint64_t i = 0; i < states.size(); ++i)
        if (!states[i].finished) unfinished.push_back(i);
    if (!unfinished.empty()) write_log(shared, manifest, run->epoch, 0, unfinished, LogEnd::Footer);
    const auto marker = write_done_marker(manifest, shared, {run->epoch, "run-" + std::to_string(run->epoch)});
    if (!marker) return tl::unexpected(marker.error());
    return {};
}

/// Two batches in two logs, one of them with a torn tail; the third batch was never begun.
Files half_finished(const Manifest& manifest) {
    const Folder folder;
    std::vector<std::string> ignored;
    if (!settle_manifest(manifest, folder.path()) || !next_epoch(folder.path())) throw std::runtime_error("no folder");
    write_log(folder.path(), manifest, 1, 0, {0}, LogEnd::Footer);
    write_log(folder.path(), manifest, 1, 1, {1}, LogEnd::Torn);
    return folder.files();
}

Files finished(const Manifest& manifest) {
    const Folder folder(half_finished(manifest));
    std::vector<std::string> noticed;
    const auto ran = run_again(folder.path(), manifest, noticed);
    if (!ran) throw std::runtime_error(ran.error().message);
    const MergeOutcome outcome = run_merge({folder.path(), "", "job", false, 0, {}, {}});
    if (outcome.exit_code != 0) throw std::runtime_error(outcome.report.error);
    return folder.files();
}

struct Damage {
    std::string file;
    std::string what;
};

/// One byte flipped, zeroed or inserted, or everything behind it cut off.
Damage damage(Files& files, std::mt19937_64& random) {
    auto victim = std::next(files.begin(), static_cast<std::ptrdiff_t>(random() % files.size()));
    std::string& bytes = victim->second;
    const std::size_t at = bytes.empty() ? 0 : random() % bytes.size();
    const std::string where = " at byte " + std::to_string(at) + " of " + std::to_string(bytes.size());
    const auto kind = bytes.empty() ? 3 : random() % 4;
    if (kind == 0) {
        const auto bit = random() % 8;
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
        return {victim->first, "bit " + std::to_string(bit) + " flipped" + where};
    }
    if (kind == 1) {
        bytes[at] = '\0';
        return {victim->first, "a zero" + where};
    }
    if (kind == 2) {
        bytes.resize(at);
        return {victim->first, "cut" + where};
    }
    const char inserted = static_cast<char>(random());
    bytes.insert(at, 1, inserted);
    return {victim->first, "inserted " + std::to_string(static_cast<unsigned char>(inserted)) + where};
}

/// What a user does next.
struct Kind {
    const char* name;
    Files (*folder)(const Manifest&);
    bool runs;  // the whole run again, else the merge alone
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class RandomDamage : public testing::TestWithParam<Kind> {
protected:
    void try_seed(std::uint64_t seed) {
        std::mt19937_64 random(seed * 3);
        Files files = undamaged_;
        const Damage done = damage(files, random);
        SCOPED_TRACE(done.file + ": " + done.what + "\n  EVALJOB_SEED=" + std::to_string(seed) +
                     " build/release/bin/test_damage --gtest_filter='*" + GetParam().name + "'");
        const Folder folder(files);
        std::vector<std::string> said;
        std::string refused;
        if (GetParam().runs) {
            if (auto ran = run_again(folder.path(), manifest_, said); !ran) refused = ran.error().message;
        }
        if (refused.empty()) refused = merge(folder.path());
        if (refused.empty()) {
            ++harmless_;
            EXPECT_EQ(published(folder.files()), whole_) << "another result was published";
            return;
        }
        ++noticed_;
        const std::string name = fs::path(done.file).filename().string();
        EXPECT_NE(refused.find(name), std::string::npos) << "the damage is not named: " << refused;
        EXPECT_EQ(published(folder.files()), published(files)) << "something was published although it was refused";
        follow_the_advice(folder.path(), refused);
    }

    /// What the message says mends it does.
    void follow_the_advice(const std::string& shared, const std::string& refused) {
        if (refused.find("remove the folder") != std::string::npos) return;
        EXPECT_NE(refused.find("run the job again"), std::string::npos) << "no mend is named: " << refused;
        std::vector<std::string> ignored;
        const auto ran = run_again(shared, manifest_, ignored);
        ASSERT_TRUE(ran) << ran.error().message;
        EXPECT_EQ(merge(shared), "");
        EXPECT_EQ(published(Folder::files_of(shared)), whole_);
    }

    static std::string merge(const std::string& shared) {
        const MergeOutcome outcome = run_merge({shared, "", "job", false, 0, {}, {}});
        EXPECT_EQ(outcome.exit_code == exit_code::success, outcome.report.published);
        EXPECT_EQ(outcome.exit_code == exit_code::success, outcome.report.error.empty());
        EXPECT_TRUE(outcome.exit_code == exit_code::success || outcome.exit_code == exit_code::proof);
        return outcome.report.error;
    }

    const Manifest manifest_ = small_manifest();
    const Files undamaged_ = GetParam().folder(manifest_);
    const Files whole_ = published(finished(manifest_));
    int harmless_ = 0;
    int noticed_ = 0;
};

TEST_P(RandomDamage, IsNoticedAndNamedOrHarmless) {
    ASSERT_EQ(whole_.size(), 6U);
    if (const char* one = std::getenv("EVALJOB_SEED")) return try_seed(std::strtoull(one, nullptr, 10));
    const char* many = std::getenv("EVALJOB_SEEDS");
    const std::uint64_t seeds = many == nullptr ? 500 : std::strtoull(many, nullptr, 10);
    for (std::uint64_t seed = 0; seed < seeds && !HasFailure(); ++seed) try_seed(seed);
    // The test itself is only good if both happen.
    EXPECT_GT(harmless_, 0);
    EXPECT_GT(noticed_, 0);
    RecordProperty("harmless", harmless_);
    RecordProperty("noticed", noticed_);
}

INSTANTIATE_TEST_SUITE_P(Folder, RandomDamage,
                         testing::Values(Kind{"FinishedAndMerged", finished, false},
                                         Kind{"FinishedAndRun", finished, true},
                                         Kind{"HalfFinishedAndRun", half_finished, true}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace evaljob::test
