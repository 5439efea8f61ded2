// What has a file's name and is none; what a volume may do to a file while it is read.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

#include "api/digest.hpp"
#include "evaljob-runner/dataset/dataset.hpp"
#include "evaljob-runner/launch/exit_status.hpp"
#include "evaljob-runner/manifest/build_manifest.hpp"
#include "evaljob-runner/manifest/run_folder.hpp"
#include "evaljob-runner/storage/files.hpp"
#include "evaljob-runner/storage/layout.hpp"
#include "evaljob-runner/storage/mapped_file.hpp"
#include "tests/unit/runner/temporary_folder.hpp"

namespace evaljob::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Special {
    const char* name;
    void (*make)(const std::string& path);
    const char* says;
};
void PrintTo(const Special& row, std::ostream* out) { *out << row.name; }

void make_socket(const std::string& path) {
    const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
}

const Special specials[] = {
    {"Pipe", [](const std::string& path) { ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0); }, "is a pipe (FIFO)"},
    {"Socket", make_socket, "is a socket"},
    {"Folder", [](const std::string& path) { ASSERT_EQ(::mkdir(path.c_str(), 0700), 0); }, "is a folder"},
    {"Device", [](const std::string& path) { ASSERT_EQ(::symlink("/dev/zero", path.c_str()), 0); }, "is a device"},
};

class SpecialFile : public testing::TestWithParam<Special> {
protected:
    void SetUp() override { GetParam().make(path_); }

    void expect_refused(const Error& error) const {
        EXPECT_THAT(error.message, HasSubstr(path_));
        EXPECT_THAT(error.message, HasSubstr(GetParam().says));
        EXPECT_FALSE(error.retry);
        EXPECT_EQ(exit_status_of(error), exit_code::bad_input);
    }

    TemporaryFolder folder_;
    const std::string path_ = folder_ / "special";
};

TEST_P(SpecialFile, IsRefusedByNameWhereverAFileIsRead) {
    expect_refused(read_file(path_, 1'000).error());
    expect_refused(file_sha256(path_).error());
    expect_refused(MappedFile::open(path_).error());
    expect_refused(MappedFile::open_durable(path_).error());
}

TEST_P(SpecialFile, IsNoModelAndNoDataset) {
    Eval eval;
    eval.model.path = "special";
    const auto manifest = build_manifest(eval, folder_.path(), "cpu");
    ASSERT_FALSE(manifest);
    expect_refused(manifest.error());
    EXPECT_THAT(manifest.error().message, HasSubstr("spec.eval.model.path: "));
    folder_.write("images", std::string("\0\0\x08\x01\0\0\0\x01x", 9));
    for (const DatasetFormat format : {DatasetFormat::IDX, DatasetFormat::JSONL, DatasetFormat::TSV}) {
        Dataset dataset;
        dataset.name = "qa";
        dataset.format = format;
        dataset.path = dataset.labels_path = "special";
        expect_refused(open_dataset(dataset, folder_.path()).error());
        if (format != DatasetFormat::IDX) continue;
        dataset.path = "images";
        const Error labels = open_dataset(dataset, folder_.path()).error();
        expect_refused(labels);
        EXPECT_THAT(labels.message, HasSubstr("dataset qa: labelsPath: "));
    }
}

TEST_P(SpecialFile, IsNoManifestAndNoDoneMarker) {
    std::filesystem::rename(path_, layout::done_marker(folder_.path()));
    EXPECT_FALSE(standing_marker(folder_.path(), "identity"));
    EXPECT_FALSE(is_done(folder_.path(), "run"));
    std::filesystem::rename(layout::done_marker(folder_.path()), layout::manifest(folder_.path()));
    const auto settled = settle_manifest(Manifest{}, folder_.path());
    ASSERT_FALSE(settled);
    EXPECT_THAT(settled.error().message, HasSubstr(GetParam().says));
}

TEST_P(SpecialFile, IsNoShardLog) {
    std::filesystem::create_directories(folder_ / "runs");
    std::filesystem::rename(path_, folder_ / "runs/rank-0.0.shard");
    EXPECT_THAT(list_files(folder_ / "runs", ".shard").value(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Kinds, SpecialFile, testing::ValuesIn(specials),
                         [](const auto& row) { return row.param.name; });

TEST(ReadFailure, IsTriedAgainWhereAVolumeDidNotAnswer) {
    for (const int number : {EIO, ESTALE, ETIMEDOUT, EHOSTDOWN, EMFILE}) {
        const Error error = read_failure("/volume/file", number).value();
        EXPECT_TRUE(error.retry) << error.message;
        EXPECT_EQ(exit_status_of(error), exit_code::storage);
        EXPECT_FALSE(exit_code::is_final(exit_status_of(error)));
        const Error input = input_failure("spec.eval.model.path", error).value();
        EXPECT_TRUE(input.retry);
        EXPECT_EQ(exit_status_of(input), exit_code::storage);
        EXPECT_EQ(input.message, "spec.eval.model.path: " + error.message);
    }
    for (const int number : {ENOENT, EACCES, ENOTDIR, ELOOP}) {
        const Error error = read_failure("/volume/file", number).value();
        EXPECT_FALSE(error.retry) << error.message;
        EXPECT_EQ(exit_status_of(input_failure("path", error).value()), exit_code::bad_input);
        EXPECT_THAT(input_failure("path", error).value().message, HasSubstr("is the path right?"));
    }
}

TEST(ListFiles, EndsWhereLinksLeadUpwardsAndFollowsThoseThatDoNot) {
    const TemporaryFolder folder;
    const TemporaryFolder elsewhere;
    folder.write("runs/a/b/one.shard", "");
    elsewhere.write("two.shard", "");
    std::filesystem::create_directory_symlink("..", folder / "runs/a/b/up");
    std::filesystem::create_directory_symlink(folder.path(), folder / "runs/a/top");
    std::filesystem::create_directory_symlink(elsewhere.path(), folder / "runs/a/c");
    std::filesystem::create_symlink("nowhere", folder / "runs/dangling.shard");
    EXPECT_THAT(list_files(folder / "runs", ".shard").value(), ElementsAre("a/b/one.shard", "a/c/two.shard"));
}

TEST(Temporaries, OfTheDeadAreRemovedAndThoseThatAreWrittenAreNot) {
    const TemporaryFolder folder;
    for (const char* name : {"done.json", "done.json.tmp-old", "done.json.tmp-new", "other.json.tmp-old", "done.jsonx"})
        folder.write(name, "");
    for (const char* name : {"done.json", "done.json.tmp-old", "other.json.tmp-old", "done.jsonx"}) {
        const timespec times[2] = {{1'000'000, 0}, {1'000'000, 0}};
        ASSERT_EQ(::utimensat(AT_FDCWD, (folder / name).c_str(), times, 0), 0);
    }
    const std::int64_t now = disk::status(folder / "done.json.tmp-new").modified;
    remove_temporaries(folder / "done.json", now);
    EXPECT_THAT(list_files(folder.path(), "").value(),
                ElementsAre("done.json", "done.json.tmp-new", "done.jsonx", "other.json.tmp-old"));
}

TEST(Temporaries, OfEarlierCoordinatorsGoWhenAnotherTakesOver) {
    const TemporaryFolder folder;
    folder.write("done.json.tmp-0123", "half");
    folder.write("manifest.jsonl.tmp-0123", "half");
    for (const char* name : {"done.json.tmp-0123", "manifest.jsonl.tmp-0123"}) {
        const timespec times[2] = {{1'000'000, 0}, {1'000'000, 0}};
        ASSERT_EQ(::utimensat(AT_FDCWD, (folder / name).c_str(), times, 0), 0);
    }
    ASSERT_TRUE(open_run_folder(Manifest{}, folder.path()));
    EXPECT_THAT(list_files(folder.path(), "").value(), ElementsAre("epochs/000001", "manifest.jsonl"));
}

TEST(MappedFileDeath, OfAFileThatIsCutShortNamesIt) {
    const TemporaryFolder folder;
    folder.write("rank-0.0.shard", std::string(64 << 10, 'x'));
    const std::string path = folder / "rank-0.0.shard";
    const auto read_on = [&] {
        const auto file = MappedFile::open(path);
        if (!file || ::truncate(path.c_str(), 0) != 0) ::_exit(99);
        sha256_hex(file->bytes());
        ::_exit(0);
    };
    EXPECT_EXIT(read_on(), testing::ExitedWithCode(exit_code::storage), "rank-0.0.shard: was cut short");
}

TEST(WriteFailureDeath, BeyondTheLargestFileIsSaidAndNoSignal) {
    const TemporaryFolder folder;
    const auto write = [&] {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{4'096, 4'096};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        const auto wrote = write_file_durably(folder / "file", std::string(10'000, 'x'));
        if (!wrote) std::fputs(wrote.error().message.c_str(), stderr);
        ::_exit(wrote ? 0 : exit_status_of(wrote.error()));
    };
    EXPECT_EXIT(write(), testing::ExitedWithCode(exit_code::no_space), "File too large; .*ulimit -f");
}

}  // namespace
}  // namespace evaljob::test
