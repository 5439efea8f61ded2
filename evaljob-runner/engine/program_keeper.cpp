#include "evaljob-runner/engine/program_keeper.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace evaljob {

namespace {

// Behind fork, in a process that had threads: only calls that are safe there.

[[noreturn]] void fail_with(int failure, char where) {
    const std::array<int, 2> report{errno, where};
    [[maybe_unused]] const auto written = ::write(failure, report.data(), sizeof report);
    ::_exit(127);
}

[[noreturn]] void become(const KeptProgram& program, pid_t keeper) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != keeper) ::_exit(127);  // it died before the line above
    if (::chdir(program.folder) != 0) fail_with(program.failure, 'd');
    // Above all that is to be copied; what is closed by exec tells the rank that exec has worked.
    const int failure = ::fcntl(program.failure, F_DUPFD_CLOEXEC, 10);
    const int input = ::fcntl(program.input, F_DUPFD_CLOEXEC, 10);
    const int output = ::fcntl(program.output, F_DUPFD_CLOEXEC, 10);
    ::dup2(input, 0);
    ::dup2(output, 1);
    ::close_range(3, 9, 0);
    ::close_range(10, ~0U, CLOSE_RANGE_CLOEXEC);
    for (const int number : {SIGTERM, SIGINT, SIGCHLD, SIGPIPE, SIGHUP, SIGQUIT}) ::signal(number, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execvpe(program.argv[0], program.argv, program.environment);
    fail_with(failure, 'x');
}

int status_of(int waited) { return WIFSIGNALED(waited) ? 128 + WTERMSIG(waited) : WEXITSTATUS(waited); }

/// Kills whatever this process is the parent of; who loses a parent by that becomes its child in turn.
void kill_children() {
    const int file = ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    std::array<char, 4096> text{};
    const auto got = ::read(file, text.data(), text.size());
    ::close(file);
    pid_t pid = 0;
    for (ssize_t i = 0; i < got; ++i) {
        const char c = text[static_cast<std::size_t>(i)];
        if (c >= '0' && c <= '9') {
            pid = pid * 10 + (c - '0');
        } else {
            if (pid > 1) ::kill(pid, SIGKILL);
            pid = 0;
        }
    }
}

/// Waits for the program's end, or for the word to end it; then nothing that it started is left.
[[noreturn]] void keep(pid_t program) {
    ::close_range(0, ~0U, 0);
    sigset_t awaited;
    ::sigemptyset(&awaited);
    ::sigaddset(&awaited, SIGCHLD);
    ::sigaddset(&awaited, SIGTERM);
    int status = -1;
    while (status < 0) {
        if (::sigwaitinfo(&awaited, nullptr) == SIGTERM) ::kill(program, SIGKILL);
        int waited = 0;
        for (pid_t ended = 0; (ended = ::waitpid(-1, &waited, WNOHANG)) > 0;)
            if (ended == program) status = status_of(waited);
    }
    do kill_children();
    while (::waitpid(-1, nullptr, 0) > 0);
    ::_exit(status);
}

[[noreturn]] void run_keeper(const KeptProgram& program, pid_t rank) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != rank) ::_exit(127);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    const pid_t keeper = ::getpid();
    ::signal(SIGCHLD, SIG_DFL);  // ignored, it would not be waited for
    const pid_t pid = ::fork();
    if (pid < 0) fail_with(program.failure, 'f');
    if (pid == 0) become(program, keeper);
    keep(pid);
}

}  // namespace

pid_t start_keeper(const KeptProgram& program) {
    const pid_t rank = ::getpid();
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = ::fork();
    if (pid == 0) run_keeper(program, rank);
    const int error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = error;
    return pid;
}

}  // namespace evaljob
