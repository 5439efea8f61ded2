#include "tests/e2e/program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

extern char** environ;

namespace evaljob::e2e {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

namespace {

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> list;
    for (auto& s : strings) list.push_back(s.data());
    list.push_back(nullptr);
    return list;
}

std::vector<std::string> split_zeros(const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, '\0');) parts.push_back(part);
    return parts;
}

ProcessView view_of(pid_t pid) {
    const std::string folder = "/proc/" + std::to_string(pid);
    ProcessView view{pid, split_zeros(read_text(folder + "/cmdline")), {}};
    for (const auto& entry : split_zeros(read_text(folder + "/environ"))) {
        const auto equals = entry.find('=');
        if (equals != std::string::npos) view.environment[entry.substr(0, equals)] = entry.substr(equals + 1);
    }
    return view;
}

std::vector<pid_t> all_pids() {
    std::vector<pid_t> pids;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
        const std::string name = entry.path().filename().string();
        pid_t pid = 0;
        const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (failure == std::errc() && end == name.data() + name.size()) pids.push_back(pid);
    }
    return pids;
}

/// 0 when it is gone. The name in parentheses may hold anything, so what follows is read from its end.
pid_t parent_of(pid_t pid) {
    const std::string stat = read_text("/proc/" + std::to_string(pid) + "/stat");
    const auto end = stat.rfind(')');
    if (end == std::string::npos) return 0;
    std::istringstream rest(stat.substr(end + 1));
    char state = 0;
    pid_t parent = 0;
    rest >> state >> parent;
    return state == 'Z' ? 0 : parent;
}

}  // namespace

Program::Program(const std::vector<std::string>& argv, const std::string& log,
                 const std::map<std::string, std::string>& extra) {
    std::vector<std::string> arguments = argv;
    std::vector<std::string> variables;
    for (char** entry = environ; *entry != nullptr; ++entry) variables.emplace_back(*entry);
    for (const auto& [name, value] : extra) variables.push_back(name + "=" + value);
    const auto argument_list = pointers(arguments);
    const auto variable_list = pointers(variables);
    const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    pid_ = ::fork();
    if (pid_ == 0) {
        ::setsid();
        ::dup2(output, 1);
        ::dup2(output, 2);
        ::execve(argument_list[0], argument_list.data(), variable_list.data());
        ::_exit(127);
    }
    ::close(output);
}

Program::~Program() {
    if (!running()) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void Program::signal(int signal_number) const { ::kill(pid_, signal_number); }

bool Program::running() {
    if (status_) return false;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
    status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return false;
}

int Program::wait(std::chrono::seconds limit) {
    return eventually([this] { return !running(); }, limit) ? *status_ : -1;
}

std::string ProcessView::variable(const std::string& name) const {
    const auto it = environment.find(name);
    return it == environment.end() ? "" : it->second;
}

std::vector<ProcessView> descendants(pid_t root) {
    std::map<pid_t, pid_t> parents;
    for (const pid_t pid : all_pids()) parents[pid] = parent_of(pid);
    std::vector<ProcessView> found;
    for (const auto& [pid, parent] : parents) {
        pid_t ancestor = parent;
        while (ancestor > 1 && ancestor != root) ancestor = parents.contains(ancestor) ? parents[ancestor] : 0;
        if (ancestor == root) found.push_back(view_of(pid));
    }
    return found;
}

std::vector<ProcessView> with_variable(const std::string& name, const std::string& value) {
    std::vector<ProcessView> found;
    for (const pid_t pid : all_pids()) {
        if (parent_of(pid) == 0) continue;
        auto view = view_of(pid);
        if (view.variable(name) == value) found.push_back(std::move(view));
    }
    return found;
}

bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit) {
    const auto deadline = SteadyClock::now() + limit;
    while (!condition()) {
        if (SteadyClock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

std::string read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace evaljob::e2e
