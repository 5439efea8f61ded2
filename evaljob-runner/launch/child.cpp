#include "evaljob-runner/launch/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace evaljob {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kept_lines = 20;
constexpr std::size_t max_line = 16'384;  // a longer one is cut into several

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> list;
    for (auto& s : strings) list.push_back(s.data());
    list.push_back(nullptr);
    return list;
}

// Between fork and exec: only calls that are safe there.
[[noreturn]] void become(char* const* argv, char* const* environment, int output, int handed_down, int parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // the launcher died before the line above
    ::dup2(output, 1);
    ::dup2(output, 2);
    const int null = ::open("/dev/null", O_RDONLY);
    ::dup2(null, 0);
    if (handed_down >= 0) {
        if (handed_down != 3) ::dup2(handed_down, 3);
        ::fcntl(3, F_SETFD, 0);
    }
    ::close_range(handed_down >= 0 ? 4 : 3, ~0U, 0);
    // Until exec the parent's dispositions hold here: a signal meant for this process would be written into the
    // parent's own pipe, and be lost. All signals are blocked up to this point.
    for (const int number : {SIGTERM, SIGINT, SIGCHLD}) ::signal(number, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execvpe(argv[0], argv, environment);
    const char* why = std::strerror(errno);
    [[maybe_unused]] auto a = ::write(2, argv[0], std::strlen(argv[0]));
    [[maybe_unused]] auto b = ::write(2, ": ", 2);
    [[maybe_unused]] auto c = ::write(2, why, std::strlen(why));
    [[maybe_unused]] auto d = ::write(2, "\n", 1);
    ::_exit(127);
}

}  // namespace

Child::Child(asio::io_context& io, int pid, int output, std::function<void(const std::string&)> on_line)
    : pid_(pid), output_(io, output), on_line_(std::move(on_line)), buffer_(65'536, '\0') {}

Result<std::shared_ptr<Child>> Child::start(asio::io_context& io, const std::vector<std::string>& argv,
                                            const Environment& environment,
                                            std::function<void(const std::string& line)> on_line, int handed_down) {
    std::vector<std::string> arguments = argv;
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
    const auto argument_list = pointers(arguments);
    const auto variable_list = pointers(variables);
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return fail("StartFailed", std::string("pipe: ") + std::strerror(errno), true);
    const int parent = ::getpid();
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const int pid = ::fork();
    if (pid == 0) become(argument_list.data(), variable_list.data(), ends[1], handed_down, parent);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::close(ends[1]);
    if (pid < 0) {
        ::close(ends[0]);
        return fail("StartFailed", argv.front() + ": fork: " + std::strerror(errno), true);
    }
    std::shared_ptr<Child> child(new Child(io, pid, ends[0], std::move(on_line)));
    child->read_more();
    return child;
}

void Child::signal(int signal_number) const { ::kill(pid_, signal_number); }

void Child::read_more() {
    output_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](const boost::system::error_code& error, std::size_t got) {
                                if (error) return;
                                self->take_lines(got);
                                self->read_more();
                            });
}

void Child::take_lines(std::size_t got) {
    partial_.append(buffer_.data(), got);
    std::size_t start = 0;
    for (;;) {
        auto end = partial_.find('\n', start);
        if (end == std::string::npos && partial_.size() - start < max_line) break;
        const std::size_t length = std::min(end == std::string::npos ? max_line : end - start, max_line);
        last_lines_.push_back(partial_.substr(start, length));
        if (last_lines_.size() > kept_lines) last_lines_.pop_front();
        on_line_(last_lines_.back());
        start += length;
        if (end != std::string::npos && start == end) ++start;
    }
    partial_.erase(0, start);
}

void Child::drain() {
    boost::system::error_code error;
    if (!output_.is_open()) return;
    output_.cancel(error);
    output_.non_blocking(true, error);
    for (;;) {
        const std::size_t got = output_.read_some(asio::buffer(buffer_), error);
        if (error || got == 0) break;
        take_lines(got);
    }
    output_.close(error);
    if (partial_.empty()) return;
    partial_ += '\n';
    take_lines(0);
}

}  // namespace evaljob
