#include "tests/e2e/evaluation.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>

#include "evaljob-runner/shard/shard_log.hpp"
#include "evaljob-runner/storage/files.hpp"
#include "tests/places.hpp"

namespace evaljob::e2e {

namespace fs = std::filesystem;

namespace {

constexpr const char* dataset_folder = "/usr/share/datasets/fashion-mnist";

}  // namespace

Json evaljob_object(const Shape& shape) {
    const std::string example = std::string(EVALJOB_SOURCE_DIR) + "/examples/fashion-mnist";
    const std::string images = std::string(dataset_folder) + "/t10k-images-idx3-ubyte.gz";
    const std::string labels = std::string(dataset_folder) + "/t10k-labels-idx1-ubyte.gz";
    const Json dataset = {{"name", "fashion-mnist"}, {"format", "IDX"},      {"path", images},
                          {"labelsPath", labels},    {"limit", shape.limit}, {"task", {{"type", "Classification"}}}};
    Json container = {{"name", "runner"}, {"env", Json::array({{{"name", "EVALJOB_LOG"}, {"value", "debug"}}})}};
    if (!shape.command.empty()) container["command"] = shape.command;
    return {
        {"apiVersion", "evaljob.dev/v1alpha1"},
        {"kind", "EvalJob"},
        {"metadata", {{"name", "fm"}}},
        {"spec",
         {{"numNodes", shape.nodes},
          {"numProcPerNode", shape.procs},
          {"eval",
           {{"model", {{"format", "TorchScript"}, {"path", example + "/model.pt"}}},
            {"datasets", Json::array({dataset})},
            {"inference", {{"maxBatchSize", shape.batch}, {"device", shape.device}, {"schedule", shape.schedule}}}}},
          {"template", {{"spec", {{"containers", Json::array({container})}}}}},
          {"storage", {{"path", "output"}}}}}};
}

std::string picture() {
    std::ifstream questions(EVALJOB_SOURCE_DIR "/examples/vision-language/questions.tsv", std::ios::binary);
    std::string row;
    std::getline(questions, row);  // the columns' names
    std::getline(questions, row);
    const auto first = row.find('\t') + 1;
    return row.substr(first, row.find('\t', first) - first);
}

Evaluation::Evaluation(const std::string& name) {
    folder_ = (fs::temp_directory_path() / ("evaljob-e2e-" + name + "-XXXXXX")).string();
    if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("cannot make " + folder_);
}

Evaluation::~Evaluation() {
    std::error_code ignored;
    if (!testing::Test::HasFailure()) fs::remove_all(folder_, ignored);
}

std::unique_ptr<Program> Evaluation::start(const Shape& shape, const std::map<std::string, std::string>& environment) {
    return start_text(evaljob_object(shape).dump(1), environment);
}

std::unique_ptr<Program> Evaluation::start_text(const std::string& text,
                                                const std::map<std::string, std::string>& environment) {
    std::ofstream(file(), std::ios::binary) << text;
    return run(file(), {}, environment);
}

std::unique_ptr<Program> Evaluation::run(const std::string& file, const std::vector<std::string>& arguments,
                                         const std::map<std::string, std::string>& environment) {
    std::vector<std::string> command{EVALJOB_BIN_DIR "/evaljob", "run", "-f", file};
    command.insert(command.end(), arguments.begin(), arguments.end());
    auto all = environment;
    all[marker] = marker_value();
    return std::make_unique<Program>(command, folder_ + "/console", all);
}

std::string Evaluation::result_folder() const {
    const std::string current = read_text(output() + "/CURRENT");
    return current.empty() ? "" : output() + "/results/" + current.substr(0, current.find('\n'));
}

std::map<std::string, std::string> Evaluation::published() const {
    if (result_folder().empty()) return {};
    const std::string folder = result_folder() + "/";
    std::map<std::string, std::string> files;
    for (const char* name : {"results.jsonl", "metrics.json", "results.csv", "confusion.csv"})
        files[name] = read_text(folder + name);
    return files;
}

std::vector<Json> lines_of(const std::string& text) {
    std::vector<Json> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
    return lines;
}

std::uint64_t Evaluation::shard_bytes() const {
    std::uint64_t bytes = 0;
    std::error_code error;
    for (fs::recursive_directory_iterator it(output() + "/runs", error), end; !error && it != end;
         it.increment(error)) {
        std::error_code gone;
        if (it->path().extension() == ".shard") bytes += fs::file_size(it->path(), gone);
    }
    return bytes;
}

std::uint64_t Evaluation::records() const {
    const std::string runs = output() + "/runs";
    std::uint64_t records = 0;
    for (const auto& name : list_files(runs, ".shard").value_or(std::vector<std::string>())) {
        const auto log = read_shard_file(runs + "/" + name, UINT64_MAX, {});
        records += log ? log->records : 0;
    }
    return records;
}

Evaluation::Leases Evaluation::leases() const {
    static const std::regex leased(R"(coordinator: lease [0-9]+\.[0-9]+: batch ([0-9]+) to rank)");
    Leases leases;
    std::set<std::string> batches;
    for (const auto& entry : fs::directory_iterator(output() + "/local/logs")) {
        const std::string text = read_text(entry.path().string());
        for (std::sregex_iterator it(text.begin(), text.end(), leased), end; it != end; ++it) {
            ++leases.leased;
            batches.insert((*it)[1]);
        }
    }
    leases.batches = batches.size();
    return leases;
}

int kill_some(const Evaluation& evaluation, Program& program, const Kills& kills, std::mt19937& random,
              const std::function<bool(const ProcessView&)>& is_victim) {
    int killed = 0;
    for (std::uint64_t next = kills.first; killed < kills.most; next += kills.every) {
        eventually([&] { return evaluation.records() >= next || !program.running(); });
        if (!program.running()) break;
        auto found = descendants(program.pid());
        std::erase_if(found, [&](const ProcessView& process) { return !is_victim(process); });
        if (!found.empty() && ::kill(found[random() % found.size()].pid, SIGKILL) == 0) ++killed;
    }
    return killed;
}

std::map<std::string, std::string> published_though_ranks_die(const Json& evaljob, const Kills& kills) {
    std::mt19937 random(1);
    Evaluation evaluation("killed");
    auto program = evaluation.start_text(evaljob.dump(1));
    const int killed =
        kill_some(evaluation, *program, kills, random, [](const ProcessView& p) { return p.is("evaljob-rank"); });
    EXPECT_EQ(program->wait(), 0) << evaluation.console();
    EXPECT_GE(killed, 1);
    return evaluation.published();
}

const Undisturbed& undisturbed(const Shape& shape) {
    static std::map<std::pair<int, int>, Undisturbed> known;
    Undisturbed& result = known[{shape.limit, shape.batch}];
    if (!result.published.empty()) return result;
    Evaluation evaluation("undisturbed");
    const int status = evaluation.start(shape)->wait();
    EXPECT_EQ(status, 0) << evaluation.console();
    result = {evaluation.published(), evaluation.shard_bytes()};
    return result;
}

}  // namespace evaljob::e2e
