#include "local/container.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "local/process_tree.hpp"

namespace evaljob::local {
namespace {

constexpr int keeper_channel = 3;  // first after the standard streams

void send(int channel, KeeperMessage::Kind kind, int value) {
    const KeeperMessage message{kind, value};
    ::send(channel, &message, sizeof message, MSG_NOSIGNAL);
}

/// Dies with the parent; the parent may have died before this was said.
void die_with(pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
}

void default_signals() {
    for (int signo = 1; signo < NSIG; ++signo) ::signal(signo, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (auto& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

[[noreturn]] void report(int pipe, KeeperMessage::Kind kind) {
    const KeeperMessage message{kind, errno};
    [[maybe_unused]] const auto written = ::write(pipe, &message, sizeof message);
    ::_exit(127);
}

/// The main process, up to its exec. `pipe` closes with the exec, or carries why there was none.
[[noreturn]] void become_main(const ContainerSpec& spec, pid_t keeper, int pipe) {
    ::setsid();
    die_with(keeper);
    default_signals();
    const int log = ::open(spec.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0) report(pipe, KeeperMessage::NoLog);
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(null, STDIN_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    if (::chdir(spec.cwd.c_str()) != 0) report(pipe, KeeperMessage::NoDirectory);
    std::vector<std::string> argv = spec.argv;
    std::vector<std::string> variables;
    for (const auto& [name, value] : spec.env) variables.push_back(name + "=" + value);
    auto environment = pointers(variables);
    environ = environment.data();  // execvp looks the program up on this PATH
    ::execvp(argv.front().c_str(), pointers(argv).data());
    report(pipe, KeeperMessage::NoProgram);
}

/// Starts the main process; its pid, or -1 after having said why not.
pid_t start_main(const ContainerSpec& spec) {
    int pipe[2];
    const pid_t keeper = ::getpid();
    const bool piped = ::pipe2(pipe, O_CLOEXEC) == 0;
    const pid_t main = piped ? ::fork() : -1;
    if (main < 0) {
        send(keeper_channel, KeeperMessage::NoChild, errno);
        return -1;
    }
    if (main == 0) become_main(spec, keeper, pipe[1]);
    ::close(pipe[1]);
    KeeperMessage failure;
    const auto size = ::read(pipe[0], &failure, sizeof failure);
    ::close(pipe[0]);
    if (size == sizeof failure) {
        ::waitpid(main, nullptr, 0);
        ::send(keeper_channel, &failure, sizeof failure, MSG_NOSIGNAL);
        return -1;
    }
    send(keeper_channel, KeeperMessage::Started, main);
    return main;
}

/// Waits for children that have ended; true with main's status once that is among them.
bool reap(pid_t main, int& status) {
    bool ended = false;
    int other = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &other, WNOHANG)) > 0;) {
        if (pid != main) continue;
        status = other;
        ended = true;
    }
    return ended;
}

/// Passes signals on until the main process has ended (true) or the parent has let go.
bool keep(pid_t main, int signals, int& status) {
    pollfd watched[2] = {{keeper_channel, POLLIN, 0}, {signals, POLLIN, 0}};
    for (;;) {
        if (::poll(watched, 2, -1) < 0) continue;
        if (watched[1].revents) {
            signalfd_siginfo info;
            [[maybe_unused]] const auto size = ::read(signals, &info, sizeof info);
            if (reap(main, status)) return true;
        }
        if (!watched[0].revents) continue;
        std::int32_t signo = 0;
        if (::recv(keeper_channel, &signo, sizeof signo, 0) != sizeof signo) return false;
        ::kill(main, signo);
    }
}

[[noreturn]] void run_keeper(const ContainerSpec& spec, pid_t parent) {
    die_with(parent);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::prctl(PR_SET_NAME, "evaljob-keeper");
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    const int signals = ::signalfd(-1, &children, SFD_CLOEXEC);
    const pid_t main = start_main(spec);
    if (main < 0) ::_exit(0);
    int status = 0;
    const bool ended = keep(main, signals, status);
    end_descendants({});
    if (ended) send(keeper_channel, KeeperMessage::Exited, status);
    ::_exit(0);
}

}  // namespace

Result<Keeper> start_container(const ContainerSpec& spec) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return fail("NoChannel", std::string("socketpair: ") + std::strerror(errno), true);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) {
        const int error = errno;
        ::close(ends[0]);
        ::close(ends[1]);
        return fail("NoChild", std::string("fork: ") + std::strerror(error), true);
    }
    if (pid == 0) {
        if (ends[1] != keeper_channel) ::dup3(ends[1], keeper_channel, O_CLOEXEC);
        // The parent's other descriptors would keep its channels open after its death.
        ::close_range(keeper_channel + 1, ~0u, 0);
        run_keeper(spec, parent);
    }
    ::close(ends[1]);
    return Keeper{pid, ends[0]};
}

std::string start_failure(const ContainerSpec& spec, const KeeperMessage& message) {
    const std::string why = std::strerror(message.value);
    switch (message.kind) {
        case KeeperMessage::NoDirectory:
            return "cannot enter the working folder " + spec.cwd + ": " + why;
        case KeeperMessage::NoLog:
            return "cannot write the log " + spec.log_path + ": " + why;
        case KeeperMessage::NoProgram:
            return "cannot run '" + spec.argv.front() + "': " + why;
        default:
            return "cannot start a process: " + why;
    }
}

}  // namespace evaljob::local
