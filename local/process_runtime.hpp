// Starts and ends containers, as processes, through a guardian: a process of its own that ends everything when this one
// is gone, however it went. The guardian is this program once more, run as `PROGRAM __runtime FD`.
//
//   evaljob ──socket, JSON lines──▶ guardian ──▶ keeper (one a container) ──▶ main process ──▶ …
//
// Who dies, and what then ends everything below: the main process: its keeper; a keeper: the guardian, and SIGKILL as
// the main process's parent-death signal; evaljob: the guardian, which sees the socket close; the guardian: evaljob, to
// which all orphans fall (it is a child subreaper), and parent-death signals. Thread rule: the io_context's one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>  // before Asio, for GCC 12 with Boost 1.74

#include <boost/asio/io_context.hpp>

#include "api/result.hpp"
#include "local/container.hpp"

namespace evaljob::local {

/// The hidden subcommand that main() must hand to run_process_runtime.
inline constexpr const char* runtime_subcommand = "__runtime";

/// The guardian's whole life, in the process that `PROGRAM __runtime FD` is; returns its exit status. Call it before
/// anything starts a thread or opens files.
int run_process_runtime(int control_fd);

/// Each is called at most once per container, from the io_context, never from inside a call to ProcessRuntime.
struct RuntimeObserver {
    std::function<void(const std::string& id, int pid)> started;
    std::function<void(const std::string& id, const std::string& why)> failed;  // to start; nothing follows
    /// The main process has ended, and nothing of the container is left. `signal` is 0 unless one ended it.
    std::function<void(const std::string& id, int code, int signal)> exited;
    /// The guardian is gone and with it every container; nothing more comes and nothing can be started.
    std::function<void(const std::string& why)> lost;
};

class ProcessRuntime {
public:
    /// Starts the guardian. `executable` is "/proc/self/exe" but in tests. This process becomes a child subreaper, and
    /// must not wait for children that it did not start.
    static Result<std::unique_ptr<ProcessRuntime>> launch(boost::asio::io_context& io, const std::string& executable,
                                                          RuntimeObserver observer);
    /// Ends every container and waits for the guardian to be done with that.
    ~ProcessRuntime();

    void start(const ContainerSpec& spec);
    void signal(const std::string& id, int signo);  // to the main process
    void kill(const std::string& id);               // SIGKILL to the main process, and with it the whole container

    int guardian_pid() const;

private:
    class Link;
    explicit ProcessRuntime(std::shared_ptr<Link> link) : link_(std::move(link)) {}
    std::shared_ptr<Link> link_;
};

}  // namespace evaljob::local
