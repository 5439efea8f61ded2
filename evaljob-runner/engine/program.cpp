#include "evaljob-runner/engine/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "evaljob-runner/engine/program_keeper.hpp"
#include "evaljob-runner/engine/program_lookup.hpp"

namespace evaljob {

namespace {

constexpr std::chrono::milliseconds farewell{500};
constexpr std::size_t block_bytes = std::size_t{256} << 10U;

struct Pipe {
    FileDescriptor read;
    FileDescriptor write;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return fail("StartFailed", std::string("pipe: ") + std::strerror(errno), true);
    return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> list;
    for (std::string& text : texts) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
}

tl::unexpected<Error> cannot_run(const ProgramStart& start, int error, int where) {
    if (where == 'd') return no_folder(start.folder_field, start.folder, error);
    if (where == 'x') return no_program(start.command_field, start.command.front(), error);
    return fail("StartFailed", start.command_field + ": fork: " + std::strerror(error), true);
}

std::string how(int waited) {
    const int status = WIFSIGNALED(waited) ? 128 + WTERMSIG(waited) : WEXITSTATUS(waited);
    if (status > 128) return "it was ended by signal " + std::to_string(status - 128);
    return "it exited with " + std::to_string(status);
}

}  // namespace

Program::Program(int keeper, FileDescriptor to, FileDescriptor from, std::size_t max_line)
    : keeper_(keeper), to_(std::move(to)), from_(std::move(from)), max_line_(max_line) {
    ::fcntl(to_.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(from_.get(), F_SETFL, O_NONBLOCK);
    // A write to a program that is gone is then an error, and no signal. The thread has no other use for it.
    sigset_t pipe;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
}

Result<std::unique_ptr<Program>> Program::start(const ProgramStart& start) {
    auto input = make_pipe();
    auto output = make_pipe();
    auto failure = make_pipe();
    if (!input || !output || !failure)
        return tl::unexpected(!input ? input.error() : !output ? output.error() : failure.error());
    std::vector<std::string> arguments = start.command;
    std::vector<std::string> variables;
    for (const auto& [name, value] : start.environment) variables.push_back(name + "=" + value);
    const auto argument_list = pointers(arguments);
    const auto variable_list = pointers(variables);
    const pid_t keeper = start_keeper({argument_list.data(), variable_list.data(), start.folder.c_str(),
                                       input->read.get(), output->write.get(), failure->write.get()});
    if (keeper < 0) return cannot_run(start, errno, 'f');
    std::unique_ptr<Program> program(
        new Program(keeper, std::move(input->write), std::move(output->read), start.max_line));
    failure->write = FileDescriptor();  // swapped away, and closed
    std::array<int, 2> report{};
    ssize_t got = 0;
    do got = ::read(failure->read.get(), report.data(), sizeof report);
    while (got < 0 && errno == EINTR);
    if (got == static_cast<ssize_t>(sizeof report)) return cannot_run(start, report[0], report[1]);
    return program;
}

Program::~Program() { end(farewell); }

bool Program::take_line(std::string& line) {
    const auto end = heard_.find('\n', searched_);
    searched_ = heard_.size();
    if (end == std::string::npos) return false;
    line.assign(heard_, 0, end);
    heard_.erase(0, end + 1);
    searched_ = 0;
    return true;
}

void Program::say(std::string_view text) {
    saying_.erase(0, std::exchange(said_, 0));
    saying_ += text;
}

void Program::write_some() {
    const auto written = ::write(to_.get(), saying_.data() + said_, saying_.size() - said_);
    if (written > 0) said_ += static_cast<std::size_t>(written);
    // It reads no more; whether it still answers is seen on the other pipe.
    if (written < 0 && errno == EPIPE) said_ = saying_.size();
}

Program::Event Program::wait(std::string& line, Time until) {
    for (;;) {
        if (take_line(line)) return line.size() > max_line_ ? Event::TooLong : Event::Line;
        if (heard_.size() > max_line_) return Event::TooLong;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        if (left.count() <= 0) return Event::Late;
        std::array<pollfd, 2> polled{
            {{from_.get(), POLLIN, 0}, {said_ == saying_.size() ? -1 : to_.get(), POLLOUT, 0}}};
        const auto most = std::min<std::int64_t>(left.count(), 60'000);
        if (::poll(polled.data(), polled.size(), static_cast<int>(most)) < 0) continue;  // EINTR
        if (polled[1].revents != 0) write_some();
        if (polled[0].revents == 0) continue;
        const std::size_t before = heard_.size();
        heard_.resize(before + block_bytes);
        const auto got = ::read(from_.get(), heard_.data() + before, block_bytes);
        heard_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
        if (got == 0) return Event::Closed;
    }
}

std::string Program::end(std::chrono::milliseconds grace) {
    if (!ended_.empty()) return ended_;
    to_ = FileDescriptor();
    const auto until = std::chrono::steady_clock::now() + grace;
    int waited = 0;
    while (::waitpid(keeper_, &waited, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() >= until) {
            ::kill(keeper_, SIGTERM);
            while (::waitpid(keeper_, &waited, 0) < 0 && errno == EINTR) {
            }
            return ended_ = "it did not end by itself";
        }
        ::poll(nullptr, 0, 1);
    }
    return ended_ = how(waited);
}

}  // namespace evaljob
