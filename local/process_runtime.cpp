#include "local/process_runtime.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <set>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include "api/json.hpp"
#include "local/line_buffer.hpp"
#include "local/metav1.hpp"
#include "local/process_tree.hpp"

namespace evaljob::local {
namespace {

constexpr int child_fd = 3;

/// In the forked child: nothing but system calls until the exec.
[[noreturn]] void become_guardian(const char* executable, int control) {
    if (control == child_fd)
        ::fcntl(control, F_SETFD, 0);
    else
        ::dup2(control, child_fd);
    ::close_range(child_fd + 1, ~0u, 0);
    ::execl(executable, "evaljob", runtime_subcommand, "3", static_cast<char*>(nullptr));
    ::_exit(127);
}

void wait_for(pid_t pid) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace

/// The open end towards the guardian; it lives until its last asynchronous call has returned.
class ProcessRuntime::Link : public std::enable_shared_from_this<Link> {
public:
    using Socket = boost::asio::local::stream_protocol::socket;

    Link(boost::asio::io_context& io, int fd, pid_t guardian, std::set<pid_t> others, RuntimeObserver observer)
        : socket_(io, boost::asio::local::stream_protocol(), fd),
          guardian_(guardian),
          others_(std::move(others)),
          observer_(std::move(observer)) {}

    pid_t guardian() const { return guardian_; }

    void read() {
        socket_.async_read_some(boost::asio::buffer(bytes_),
                                [self = shared_from_this()](boost::system::error_code error, std::size_t size) {
                                    if (self->closed_) return;
                                    if (error) return self->lose("the process runtime has ended: " + error.message());
                                    self->lines_.add({self->bytes_.data(), size});
                                    self->tell();
                                    if (!self->closed_) self->read();
                                });
    }

    void write(const Json& order) {
        if (closed_) return;
        orders_.push_back(to_text(order) + "\n");
        if (orders_.size() == 1) write_first();
    }

    void close() {
        if (closed_) return;
        closed_ = true;
        boost::system::error_code ignored;
        socket_.close(ignored);
        wait_for(guardian_);  // it leaves when nothing of ours is left
    }

private:
    void write_first() {
        boost::asio::async_write(socket_, boost::asio::buffer(orders_.front()),
                                 [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                                     if (error || self->closed_) return;  // read() says what is lost
                                     self->orders_.pop_front();
                                     if (!self->orders_.empty()) self->write_first();
                                 });
    }

    void tell() {
        for (auto line = lines_.next(); line && !closed_; line = lines_.next()) {
            const auto reply = Json::parse(*line);
            const auto what = reply.at("what").get<std::string>();
            const auto id = reply.at("id").get<std::string>();
            if (what == "started")
                observer_.started(id, reply.at("pid").get<int>());
            else if (what == "failed")
                observer_.failed(id, reply.at("why").get<std::string>());
            else
                observer_.exited(id, reply.at("code").get<int>(), reply.at("signal").get<int>());
        }
    }

    void lose(const std::string& why) {
        ::kill(guardian_, SIGKILL);  // if only its socket broke
        close();
        end_descendants(others_);
        observer_.lost(why);
    }

    Socket socket_;
    pid_t guardian_;
    std::set<pid_t> others_;  // children that this process had before
    RuntimeObserver observer_;
    LineBuffer lines_;
    std::deque<std::string> orders_;  // the first is being written
    std::array<char, 64 * 1024> bytes_{};
    bool closed_ = false;
};

Result<std::unique_ptr<ProcessRuntime>> ProcessRuntime::launch(boost::asio::io_context& io,
                                                               const std::string& executable,
                                                               RuntimeObserver observer) {
    const auto failed = [](const char* what) {
        return fail("RuntimeFailed",
                    std::string("cannot start the process runtime: ") + what + ": " + std::strerror(errno));
    };
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    auto others = own_children();
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return failed("socketpair");
    const pid_t pid = ::fork();
    if (pid == 0) become_guardian(executable.c_str(), ends[1]);
    ::close(ends[1]);
    if (pid < 0) {
        ::close(ends[0]);
        return failed("fork");
    }
    auto link = std::make_shared<Link>(io, ends[0], pid, std::move(others), std::move(observer));
    link->read();
    return std::unique_ptr<ProcessRuntime>(new ProcessRuntime(std::move(link)));
}

ProcessRuntime::~ProcessRuntime() { link_->close(); }

void ProcessRuntime::start(const ContainerSpec& spec) {
    link_->write({{"do", "start"},
                  {"id", spec.id},
                  {"argv", spec.argv},
                  {"env", spec.env},
                  {"cwd", spec.cwd},
                  {"log", spec.log_path}});
}

void ProcessRuntime::signal(const std::string& id, int signo) {
    link_->write({{"do", "signal"}, {"id", id}, {"signo", signo}});
}

void ProcessRuntime::kill(const std::string& id) { link_->write({{"do", "kill"}, {"id", id}}); }

int ProcessRuntime::guardian_pid() const { return link_->guardian(); }

}  // namespace evaljob::local
