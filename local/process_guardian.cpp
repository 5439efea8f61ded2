// The guardian's side of process_runtime.hpp: one thread, one poll loop.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <set>

#include "api/json.hpp"
#include "local/line_buffer.hpp"
#include "local/metav1.hpp"
#include "local/process_runtime.hpp"
#include "local/process_tree.hpp"

namespace evaljob::local {
namespace {

class Guardian {
public:
    explicit Guardian(int control) : control_(control) {}
    int run();

private:
    struct Container {
        ContainerSpec spec;
        Keeper keeper;
    };

    bool read_control();
    void obey(const Json& order);
    void start(const Json& order);
    void listen(const std::string& id);
    void release(const std::string& id);
    void reap();
    void say(const Json& line);

    int control_;
    int signals_ = -1;
    bool open_ = true;
    LineBuffer orders_;
    std::map<std::string, Container> containers_;
};

int Guardian::run() {
    ::setsid();  // Ctrl-C on a terminal is evaljob's to decide about
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::prctl(PR_SET_NAME, "evaljob-runtime");
    ::fcntl(control_, F_SETFD, FD_CLOEXEC);
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);  // it ends when evaljob ends, not before
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    signals_ = ::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    while (open_) {
        std::vector<pollfd> watched{{control_, POLLIN, 0}, {signals_, POLLIN, 0}};
        std::vector<std::string> ids;
        for (const auto& [id, container] : containers_) {
            watched.push_back({container.keeper.channel, POLLIN, 0});
            ids.push_back(id);
        }
        if (::poll(watched.data(), watched.size(), -1) < 0) continue;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (watched[i + 2].revents) listen(ids[i]);
        }
        if (watched[1].revents) reap();
        if (watched[0].revents) open_ = read_control() && open_;
    }
    end_descendants({});
    return 0;
}

bool Guardian::read_control() {
    char bytes[64 * 1024];
    const auto size = ::recv(control_, bytes, sizeof bytes, 0);
    if (size < 0 && errno == EINTR) return true;
    if (size <= 0) return false;
    orders_.add({bytes, static_cast<std::size_t>(size)});
    while (const auto line = orders_.next()) obey(Json::parse(*line));
    return true;
}

void Guardian::obey(const Json& order) {
    const auto what = order.at("do").get<std::string>();
    if (what == "start") return start(order);
    const auto found = containers_.find(order.at("id").get<std::string>());
    if (found == containers_.end()) return;  // it has ended meanwhile
    const std::int32_t signo = what == "kill" ? SIGKILL : order.at("signo").get<std::int32_t>();
    ::send(found->second.keeper.channel, &signo, sizeof signo, MSG_NOSIGNAL);
}

void Guardian::start(const Json& order) {
    ContainerSpec spec{order.at("id").get<std::string>(), order.at("argv").get<std::vector<std::string>>(),
                       order.at("env").get<Environment>(), order.at("cwd").get<std::string>(),
                       order.at("log").get<std::string>()};
    const auto keeper = start_container(spec);
    if (!keeper) return say({{"what", "failed"}, {"id", spec.id}, {"why", keeper.error().message}});
    const auto id = spec.id;
    containers_[id] = {std::move(spec), *keeper};
}

void Guardian::listen(const std::string& id) {
    const auto& container = containers_.at(id);
    KeeperMessage message;
    const auto size = ::recv(container.keeper.channel, &message, sizeof message, 0);
    if (size != sizeof message) {  // the keeper was killed
        release(id);
        return say({{"what", "exited"}, {"id", id}, {"code", 0}, {"signal", SIGKILL}});
    }
    if (message.kind == KeeperMessage::Started) return say({{"what", "started"}, {"id", id}, {"pid", message.value}});
    if (message.kind == KeeperMessage::Exited) {
        const bool signalled = WIFSIGNALED(message.value);
        release(id);
        return say({{"what", "exited"},
                    {"id", id},
                    {"code", signalled ? 0 : WEXITSTATUS(message.value)},
                    {"signal", signalled ? WTERMSIG(message.value) : 0}});
    }
    const auto why = start_failure(container.spec, message);
    release(id);
    say({{"what", "failed"}, {"id", id}, {"why", why}});
}

/// Forgets a container whose keeper has ended or is about to, when nothing of it is left.
void Guardian::release(const std::string& id) {
    const auto found = containers_.find(id);
    ::close(found->second.keeper.channel);
    containers_.erase(found);
    // Everything that is no keeper of a living container is what a killed keeper left behind, or a keeper that is done.
    std::set<pid_t> keepers;
    for (const auto& [other, container] : containers_) keepers.insert(container.keeper.pid);
    end_descendants(keepers);
}

/// Only makes poll sleep again: keepers are waited for when their channel closes.
void Guardian::reap() {
    signalfd_siginfo info;
    while (::read(signals_, &info, sizeof info) > 0) {
    }
}

void Guardian::say(const Json& line) {
    const auto text = to_text(line) + "\n";
    for (std::size_t sent = 0; sent < text.size();) {
        const auto size = ::send(control_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) {
            open_ = false;
            return;
        }
        sent += static_cast<std::size_t>(size);
    }
}

}  // namespace

int run_process_runtime(int control_fd) { return Guardian(control_fd).run(); }

}  // namespace evaljob::local
