// Bad input as a person meets it: `evaljob run` says in one line which field or file is wrong and what mends it, ends
// with the documented status, tries nothing again that cannot help, and publishes nothing.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/e2e/evaluation.hpp"

namespace evaljob::e2e {
namespace {

namespace fs = std::filesystem;

const Shape small{.nodes = 1, .procs = 2, .limit = 64, .batch = 16};

std::vector<std::string> lines_with(const std::string& console, const std::string& part) {
    std::vector<std::string> found;
    std::istringstream stream(console);
    for (std::string line; std::getline(stream, line);)
        if (line.find(part) != std::string::npos) found.push_back(line);
    return found;
}

/// Exactly one line of the console holds the first part, and it holds the others too; no restart was spent on it.
void expect_one_line(const std::string& console, const std::vector<std::string>& parts) {
    const auto lines = lines_with(console, parts.front());
    ASSERT_EQ(lines.size(), 1U) << parts.front() << "\n" << console;
    for (const auto& part : parts) EXPECT_NE(lines.front().find(part), std::string::npos) << part << "\n" << console;
    EXPECT_TRUE(lines_with(console, " restarts)").empty()) << console;
}

Json& model(Json& job) { return job["spec"]["eval"]["model"]; }
Json& dataset(Json& job) { return job["spec"]["eval"]["datasets"][0]; }

/// An IDX file: unsigned bytes of these dimensions, all the same.
void write_idx(const std::string& path, const std::vector<std::uint32_t>& shape, char element) {
    std::string bytes{0, 0, 8, static_cast<char>(shape.size())};
    std::size_t elements = 1;
    for (const std::uint32_t dimension : shape) {
        for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(dimension >> shift);
        elements *= dimension;
    }
    std::ofstream(path, std::ios::binary) << bytes << std::string(elements, element);
}

void take_images(const std::string& folder, Json& job, std::uint32_t count, std::uint32_t width) {
    write_idx(folder + "/images", {count, width, width}, 1);
    write_idx(folder + "/labels", {count}, 0);
    dataset(job)["path"] = "images";
    dataset(job)["labelsPath"] = "labels";
}

struct Row {
    const char* name;
    std::function<void(const std::string& folder, Json& job)> spoil;
    int status;
    std::vector<std::string> says;  // all in one line
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

const std::string zeros(64, '0');

const Row rows[] = {
    {"UnknownField",
     [](const auto&, Json& job) { job["spec"]["numNode"] = 2; },
     2,
     {"evaljob.json: spec.numNode: unknown field; did you mean numNodes?"}},
    {"WrongType",
     [](const auto&, Json& job) { job["spec"]["numNodes"] = "two"; },
     2,
     {"evaljob.json: spec.numNodes: must be an integer, is a string (\"two\")"}},
    {"FieldOfALaterIssue",
     [](const auto&, Json& job) { job["spec"]["merge"]["outputs"] = Json::array({"CSV"}); },
     2,
     {"evaljob.json: spec.merge.outputs", "not supported yet; remove it"}},
    {"TwoDatasetsOfOneName",
     [](const auto&, Json& job) { job["spec"]["eval"]["datasets"].push_back(Json(dataset(job))); },
     2,
     {"evaljob.json: spec.eval.datasets[1].name: \"fashion-mnist\" is already that of spec.eval.datasets[0]"}},
    {"NoModel",
     [](const auto&, Json& job) { model(job)["path"] = "nowhere.pt"; },
     1,
     {"spec.eval.model.path: ", "/nowhere.pt: No such file or directory", "is the path right?", "exited 12"}},
    {"NoDataset",
     [](const auto&, Json& job) { dataset(job)["path"] = "nowhere"; },
     1,
     {"dataset fashion-mnist: path: ", "/nowhere: No such file or directory", "is the path right?", "exited 12"}},
    {"NoLabels",
     [](const auto&, Json& job) { dataset(job)["labelsPath"] = "nowhere"; },
     1,
     {"dataset fashion-mnist: labelsPath: ", "/nowhere: No such file or directory", "exited 12"}},
    {"AFolderForAModel",
     [](const auto&, Json& job) { model(job)["path"] = "."; },
     1,
     {"spec.eval.model.path: ", "is a folder, where a file is wanted", "exited 12"}},
    {"APipeForAModel",
     [](const std::string& folder, Json& job) {
         ASSERT_EQ(::mkfifo((folder + "/pipe").c_str(), 0600), 0);
         model(job)["path"] = "pipe";
     },
     1,
     {"spec.eval.model.path: ", "/pipe: is a pipe (FIFO), where a file is wanted", "exited 12"}},
    {"AnEndlessDeviceForADataset",
     [](const auto&, Json& job) { dataset(job)["path"] = "/dev/zero"; },
     1,
     {"dataset fashion-mnist: path: /dev/zero: is a device, where a file is wanted", "exited 12"}},
    {"APipeForLabels",
     [](const std::string& folder, Json& job) {
         ASSERT_EQ(::mkfifo((folder + "/pipe").c_str(), 0600), 0);
         dataset(job)["labelsPath"] = "pipe";
     },
     1,
     {"dataset fashion-mnist: labelsPath: ", "/pipe: is a pipe (FIFO)", "exited 12"}},
    {"OtherSha256OfTheModel",
     [](const auto&, Json& job) { model(job)["sha256"] = zeros; },
     1,
     {"spec.eval.model.sha256: ", "/model.pt has the sha256 ", "the EvalJob says " + zeros,
      "another file, or a damaged one"}},
    {"OtherSha256OfADataset",
     [](const auto&, Json& job) { dataset(job)["sha256"] = zeros; },
     1,
     {"dataset fashion-mnist: sha256: ", "the EvalJob says " + zeros}},
    {"OtherSha256OfLabels",
     [](const auto&, Json& job) { dataset(job)["labelsSha256"] = zeros; },
     1,
     {"dataset fashion-mnist: labelsSha256: ", "the EvalJob says " + zeros}},
    {"NoTorchScript",
     [](const std::string& folder, Json& job) {
         std::ofstream(folder + "/weights.bin") << "weights";
         model(job)["path"] = "weights.bin";
     },
     1,
     {"spec.eval.model.path: ", "/weights.bin is no TorchScript file", "torch.jit.save", "exited 12"}},
    {"SamplesThatTheModelDoesNotTake",
     [](const std::string& folder, Json& job) { take_images(folder, job, 16, 32); },
     1,
     {"dataset fashion-mnist: the model fails on samples of shape [1,32,32]", "belong together?",
      "mat1 and mat2 shapes cannot be multiplied", "exited 12"}},
    {"OtherClassesThanTheModels",
     [](const auto&, Json& job) {
         for (int i = 0; i < 12; ++i) dataset(job)["task"]["classes"].push_back("class " + std::to_string(i));
     },
     1,
     {"dataset fashion-mnist: task.classes: names 12 classes, the model scores 10", "exited 12"}},
    {"LabelBeyondTheClasses",
     [](const auto&, Json& job) {
         dataset(job)["task"]["classes"] = {"one", "two"};
     },
     1,
     {"dataset fashion-mnist: labelsPath: ", "has label 9, but task.classes names only 2"}},
    {"EmptyDataset",
     [](const std::string& folder, Json& job) { take_images(folder, job, 0, 28); },
     1,
     {"dataset fashion-mnist: path: ", "/images: has no samples", "exited 12"}},
    {"ImagesForLabels",
     [](const auto&, Json& job) { dataset(job)["labelsPath"] = dataset(job)["path"]; },
     1,
     {"dataset fashion-mnist: labelsPath: ", "has 3 dimensions, labels have one", "exited 12"}},
    {"NoIdx",
     [](const std::string& folder, Json& job) {
         std::ofstream(folder + "/samples.csv") << "1,2,3\n";
         dataset(job)["path"] = "samples.csv";
     },
     1,
     {"dataset fashion-mnist: path: ", "/samples.csv: is no IDX file"}},
};

class BadInput : public testing::TestWithParam<Row> {};

TEST_P(BadInput, IsNamedInOneLineAndPublishesNothing) {
    Evaluation evaluation("bad");
    Json job = evaljob_object(small);
    GetParam().spoil(evaluation.folder(), job);
    EXPECT_EQ(evaluation.start_text(job.dump())->wait(), GetParam().status);
    expect_one_line(evaluation.console(), GetParam().says);
    EXPECT_TRUE(evaluation.published().empty());
    EXPECT_FALSE(fs::exists(evaluation.output() + "/done.json"));
}

INSTANTIATE_TEST_SUITE_P(Table, BadInput, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

struct Text {
    const char* name;
    std::string text;
    std::string says;
};
void PrintTo(const Text& row, std::ostream* out) { *out << row.name; }

const Text texts[] = {
    {"NotYaml", "spec:\n  numNodes: [1, 2\n", "evaljob.json:3:1: a list that was opened with [ is not closed"},
    {"Tab", "spec:\n\tnumNodes: 1\n", "evaljob.json:2:10: YAML is indented by spaces, here stands a tab"},
    {"InvalidUtf8", "spec:\n  path: \xff\xfe\n", "evaljob.json:2: is not UTF-8 text"},
    {"Empty", "", "evaljob.json: holds no object; an EvalJob is expected"},
};

class BadText : public testing::TestWithParam<Text> {};

TEST_P(BadText, IsNamedWithItsLine) {
    Evaluation evaluation("text");
    EXPECT_EQ(evaluation.start_text(GetParam().text)->wait(), 2);
    expect_one_line(evaluation.console(), {GetParam().says});
    EXPECT_FALSE(fs::exists(evaluation.output()));
}

INSTANTIATE_TEST_SUITE_P(Table, BadText, testing::ValuesIn(texts), [](const auto& row) { return row.param.name; });

TEST(EvalJobFile, ThatIsNotThereIsNamed) {
    Evaluation evaluation("nofile");
    EXPECT_EQ(evaluation.run(evaluation.file())->wait(), 2);
    expect_one_line(evaluation.console(), {"evaljob.json: cannot be opened; is the path right?"});
}

TEST(EvalJobFile, OfOneLineOfAGigabyteIsRefusedUnread) {
    Evaluation evaluation("gigabyte");
    std::ofstream(evaluation.file()) << "{\"spec\":\"";
    fs::resize_file(evaluation.file(), std::uintmax_t{1} << 30U);  // takes no room on the disk
    EXPECT_EQ(evaluation.run(evaluation.file())->wait(), 2);
    expect_one_line(evaluation.console(), {"evaljob.json: is over 1 MiB; an EvalJob is a small file"});
}

TEST(Storage, OfAnotherEvaluationIsLeftAsItIs) {
    Evaluation evaluation("other");
    ASSERT_EQ(evaluation.start(small)->wait(), 0) << evaluation.console();
    const auto before = evaluation.published();
    Shape other = small;
    other.batch = 8;
    EXPECT_EQ(evaluation.start(other)->wait(), 1);
    expect_one_line(evaluation.console(), {"holds the results of another evaluation", evaluation.output(),
                                           "Choose another storage.path (or --output)", "exited 11"});
    EXPECT_EQ(evaluation.published(), before);
}

/// A listening socket on every address of this machine.
class TakenPort {
public:
    TakenPort() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        socklen_t size = sizeof address;
        auto* any = reinterpret_cast<sockaddr*>(&address);
        const bool taken =
            ::bind(socket_, any, size) == 0 && ::listen(socket_, 1) == 0 && ::getsockname(socket_, any, &size) == 0;
        number = taken ? ntohs(address.sin_port) : 0;
    }
    ~TakenPort() { ::close(socket_); }
    TakenPort(const TakenPort&) = delete;
    TakenPort& operator=(const TakenPort&) = delete;

    int number = 0;

private:
    int socket_;
};

TEST(RendezvousPort, InUseIsNamedAndCostsNoRestart) {
    Evaluation evaluation("port");
    Json job = evaljob_object(small);
    {
        const TakenPort port;
        ASSERT_NE(port.number, 0);
        job["spec"]["rendezvous"]["port"] = port.number;
        EXPECT_EQ(evaluation.start_text(job.dump())->wait(), 1);
        expect_one_line(evaluation.console(),
                        {"cannot listen on ", std::to_string(port.number), "Address already in use",
                         "set spec.rendezvous.port to a free one", "exited 2"});
        EXPECT_TRUE(evaluation.published().empty());
    }
    EXPECT_EQ(evaluation.start_text(job.dump())->wait(), 0) << evaluation.console();
    EXPECT_EQ(evaluation.published(), undisturbed(small).published);
}

/// A small disk of its own for the output. Only root may make one.
class SmallDisk {
public:
    explicit SmallDisk(const std::string& path, const std::string& options) : path_(path) {
        fs::create_directories(path);
        mounted = ::mount("tmpfs", path.c_str(), "tmpfs", 0, options.c_str()) == 0;
        why = std::string("a disk of its own cannot be mounted: ") + std::strerror(errno);
    }
    ~SmallDisk() {
        if (mounted) ::umount2(path_.c_str(), MNT_DETACH);
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

    bool remount(unsigned long flags, const std::string& options) const {
        return ::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT | flags, options.c_str()) == 0;
    }

    bool mounted = false;
    std::string why;

private:
    std::string path_;
};

class FullDisk : public testing::TestWithParam<const char*> {};

TEST_P(FullDisk, IsNamedAndGoesOnWhenThereIsRoom) {
    Evaluation evaluation("full");
    const SmallDisk disk(evaluation.output(), GetParam());
    if (!disk.mounted) GTEST_SKIP() << disk.why;
    EXPECT_EQ(evaluation.start(small)->wait(), 1) << evaluation.console();
    expect_one_line(evaluation.console(), {"No space left on device", evaluation.output(), "free some space there",
                                           "what is done is kept", "exited 14"});
    EXPECT_TRUE(evaluation.published().empty());
    ASSERT_TRUE(disk.remount(0, "size=16m"));
    EXPECT_EQ(evaluation.start(small)->wait(), 0) << evaluation.console();
    EXPECT_EQ(evaluation.published(), undisturbed(small).published);
}

// While ranks write their logs; while the merge publishes.
INSTANTIATE_TEST_SUITE_P(Storage, FullDisk, testing::Values("size=12k", "size=48k"),
                         [](const auto& row) { return std::string(row.param).substr(5); });

TEST(Storage, ThatIsReadOnlyIsNamed) {
    Evaluation evaluation("readonly");
    const SmallDisk disk(evaluation.output(), "size=1m");
    if (!disk.mounted) GTEST_SKIP() << disk.why;
    ASSERT_TRUE(disk.remount(MS_RDONLY, "size=1m"));
    EXPECT_EQ(evaluation.start(small)->wait(), 1);
    expect_one_line(evaluation.console(), {"Read-only file system", evaluation.output(),
                                           "choose another storage.path (or --output), or make it writable"});
    ASSERT_TRUE(disk.remount(0, "size=16m"));
    EXPECT_EQ(evaluation.start(small)->wait(), 0) << evaluation.console();
}

TEST(Dataset, OfOneSampleIsScoredByManyRanks) {
    Shape one = small;
    one.nodes = 2;
    one.procs = 3;
    one.limit = 1;
    Evaluation evaluation("one");
    ASSERT_EQ(evaluation.start(one)->wait(), 0) << evaluation.console();
    const auto files = evaluation.published();
    EXPECT_EQ(std::count(files.at("results.jsonl").begin(), files.at("results.jsonl").end(), '\n'), 1);
    EXPECT_EQ(evaluation.records(), 1U);
}

}  // namespace
}  // namespace evaljob::e2e
