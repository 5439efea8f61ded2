// Node 0 among hostile connections: a thousand of them to the coordinator's port and to /progress cost it little memory
// and few descriptors, a rank that dies meanwhile is started again and registers, and the score is right.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/e2e/evaluation.hpp"

namespace evaljob::e2e {
namespace {

namespace fs = std::filesystem;

constexpr int questions = 120;
constexpr std::size_t hostile_connections = 1'000;
constexpr std::size_t most_descriptors = 300;        // 2 ranks, 66 and 64 strangers, and what every process has
constexpr std::uint64_t most_growth = 48ULL << 20U;  // bytes; half-sent frames once took 458 MB

/// Answers the first questions, and the others once the file `go` is there.
constexpr const char* program = R"(import json, os, sys, time
print('{"ready": true}', flush=True)
for line in sys.stdin:
    request = json.loads(line)
    number = int(request["id"])
    while number > 16 and not os.path.exists("go"):
        time.sleep(0.01)
    text = f"answer {number}" if number % 4 else "no idea"
    print(json.dumps({"request": request["request"], "prediction": text}), flush=True)
)";

Json job() {
    const Json dataset = {{"name", "questions"},
                          {"format", "JSONL"},
                          {"path", "questions.jsonl"},
                          {"task", {{"type", "Generation"}, {"metrics", {"ExactMatch"}}}}};
    return {{"apiVersion", "evaljob.dev/v1alpha1"},
            {"kind", "EvalJob"},
            {"metadata", {{"name", "hostile"}}},
            {"spec",
             {{"numNodes", 1},
              {"numProcPerNode", 2},
              {"eval",
               {{"model", {{"format", "Command"}, {"command", {"python3", "answer.py"}}}},
                {"datasets", Json::array({dataset})},
                {"inference", {{"device", "CPU"}, {"maxBatchSize", 4}}}}},
              {"storage", {{"path", "output"}}}}}};
}

void write_files(const Evaluation& evaluation) {
    std::ofstream lines(evaluation.folder() + "/questions.jsonl", std::ios::binary);
    for (int i = 1; i <= questions; ++i)
        lines << Json({{"id", i}, {"target", "answer " + std::to_string(i)}}).dump() << "\n";
    std::ofstream(evaluation.folder() + "/answer.py", std::ios::binary) << program;
}

std::optional<ProcessView> find(const Program& program, const std::function<bool(const ProcessView&)>& is) {
    for (auto& process : descendants(program.pid()))
        if (is(process)) return process;
    return std::nullopt;
}

bool is_launcher(const ProcessView& p) { return p.is("evaljob-runner") && p.argv.size() > 1 && p.argv[1] == "launch"; }
bool is_second_rank(const ProcessView& p) { return p.is("evaljob-rank") && p.variable("RANK") == "1"; }

/// "VmHWM: 13000 kB" of /proc/PID/status, in bytes.
std::uint64_t peak_memory(pid_t pid) {
    std::istringstream status(read_text("/proc/" + std::to_string(pid) + "/status"));
    for (std::string word; status >> word;)
        if (word == "VmHWM:") return status >> word, std::stoull(word) << 10U;
    return 0;
}

std::size_t descriptors(pid_t pid) {
    std::error_code error;
    const fs::directory_iterator all("/proc/" + std::to_string(pid) + "/fd", error);
    return static_cast<std::size_t>(std::distance(begin(all), fs::directory_iterator()));
}

class Hostile {
public:
    Hostile() {
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    ~Hostile() {
        for (const int socket : sockets_) ::close(socket);
    }

    void attack(const std::string& address, const std::string& port) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
        ASSERT_EQ(::inet_pton(AF_INET, address.c_str(), &to.sin_addr), 1) << address;
        const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ASSERT_GE(socket, 0);
        sockets_.push_back(socket);
        ASSERT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
        const std::string bytes = words_[sockets_.size() % words_.size()];
        [[maybe_unused]] const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }

    /// Each of them says one byte more.
    void dribble() const {
        for (const int socket : sockets_) ::send(socket, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }

private:
    static std::string half_frame(std::uint32_t length) {
        std::string bytes;
        for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(length >> shift);
        return bytes + std::string(length / 2, '{');
    }
    const std::vector<std::string> words_{half_frame(32'000),
                                          half_frame(1'000'000),
                                          "",
                                          "x",
                                          "GET /progress HTTP/1.1\r\nHost: ",
                                          std::string("\5\0\0\0\x1b[2J\n", 9),
                                          std::string("\3\0\0\0{}}", 7),
                                          std::string(100'000, '\n')};
    std::vector<int> sockets_;
};

TEST(HostileConnections, CostNode0LittleAndLeaveTheScoreRight) {
    Evaluation evaluation("hostile");
    write_files(evaluation);
    const auto run = evaluation.start_text(job().dump(1));
    ASSERT_TRUE(eventually([&] { return evaluation.records() > 0 || !run->running(); }));
    const auto launcher = find(*run, is_launcher);
    const auto rank = find(*run, is_second_rank);
    ASSERT_TRUE(launcher && rank) << evaluation.console();
    const std::uint64_t before = peak_memory(launcher->pid);
    std::size_t most_open = 0;

    Hostile hostile;
    for (std::size_t i = 0; i < hostile_connections; ++i) {
        hostile.attack(launcher->variable("EVALJOB_POD_IP"), launcher->variable("MASTER_PORT"));
        hostile.attack(launcher->variable("EVALJOB_POD_IP"), launcher->variable("EVALJOB_HTTP_PORT"));
        if (i == hostile_connections / 2) {
            ASSERT_EQ(::kill(rank->pid, SIGKILL), 0);
        }
        if (i % 50 == 0) hostile.dribble();
        most_open = std::max(most_open, descriptors(launcher->pid));
    }
    // The next one of its rank has come, and answers.
    EXPECT_TRUE(eventually([&] {
        const auto next = find(*run, is_second_rank);
        hostile.dribble();
        most_open = std::max(most_open, descriptors(launcher->pid));
        return (next && next->pid != rank->pid) || !run->running();
    })) << "the dead rank was not started again";
    std::ofstream(evaluation.folder() + "/go") << "";

    const std::uint64_t after = peak_memory(launcher->pid);
    EXPECT_EQ(run->wait(), 0) << evaluation.console();
    RecordProperty("grown_kib", static_cast<int>((after - before) >> 10U));
    RecordProperty("descriptors", static_cast<int>(most_open));
    EXPECT_GT(before, 0U);
    EXPECT_LT(after - before, most_growth);
    EXPECT_GT(most_open, 64U) << "nobody attacked";
    EXPECT_LT(most_open, most_descriptors);

    const auto lines = lines_of(evaluation.published()["results.jsonl"]);
    ASSERT_EQ(lines.size(), static_cast<std::size_t>(questions));
    for (int i = 1; i <= questions; ++i) {
        const Json& line = lines[static_cast<std::size_t>(i - 1)];
        EXPECT_EQ(line["prediction"], i % 4 ? "answer " + std::to_string(i) : "no idea") << line;
    }
    EXPECT_NE(evaluation.published()["metrics.json"].find("0.75"), std::string::npos);

    std::size_t complaints = 0;
    for (const auto& entry : fs::directory_iterator(evaluation.output() + "/local/logs")) {
        const std::string text = read_text(entry.path().string());
        EXPECT_EQ(text.find("\x1b[2J"), std::string::npos) << entry.path() << " has a stranger's bytes";
        for (auto at = text.find("closing a connection"); at != std::string::npos;
             at = text.find("closing a connection", at + 1))
            ++complaints;
    }
    EXPECT_GE(complaints, 1U);
    EXPECT_LE(complaints, 20U);
}

}  // namespace
}  // namespace evaljob::e2e
