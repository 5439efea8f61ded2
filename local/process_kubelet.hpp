// The kubelet of the one node of local mode: runs the Pods of an API server in memory as processes of this machine.
// Thread rule: the io_context's one thread, which is the API's as well.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>  // before Asio, for GCC 12 with Boost 1.74
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "local/memory_api.hpp"
#include "local/pod_addresses.hpp"
#include "local/pod_environment.hpp"
#include "local/pod_status.hpp"
#include "local/process_runtime.hpp"
#include "local/secret_folder.hpp"
#include "local/termination_log.hpp"

namespace evaljob::local {

/// On each Pod whose runner is running: the pid of the runner's main process.
inline constexpr const char* pid_annotation = "evaljob.dev/pid";

struct KubeletOptions {
    std::filesystem::path state_dir;      // made: logs/POD.log, appended to
    std::filesystem::path working_dir;    // of containers that name none: the EvalJob file's folder
    std::string path_prefix;              // folder looked in for programs before PATH's: evaljob's own
    Environment environment;              // evaljob's own; what the rank contract reserves is left out for containers
    std::vector<std::string> gpus;        // visible_gpus(environment)
    std::uint32_t address_seed = 0;       // this program's pid
    std::function<std::int64_t()> clock;  // Unix seconds, for timestamps
    std::string executable = "/proc/self/exe";  // a program that hands `__runtime FD` to run_process_runtime
    std::function<void(const std::string& why)> on_lost = [](const std::string&) {};  // see RuntimeObserver::lost
};

class ProcessKubelet {
public:
    ProcessKubelet(boost::asio::io_context& io, MemoryApi& api, KubeletOptions options);
    /// Ends every process that is left, at once, and waits until none is.
    ~ProcessKubelet();

    /// Makes the folders, has the API check Pods (admit_pod), starts the guardian, and runs Pods from now on.
    Result<void> start();

    /// Starts nothing more, sends SIGTERM to every container and after `grace` SIGKILL; calls `done` from the
    /// io_context when nothing runs and the Pods' last statuses are written. Called again, it shortens the grace
    /// period.
    void async_stop(std::chrono::seconds grace, std::function<void()> done);

    /// The literal address that stands for a job's host (names::host_fqdn).
    std::string address_of(const std::string& fqdn) { return addresses_.address_of(fqdn); }

    std::filesystem::path log_path(const std::string& pod) const;

private:
    struct Run {
        Json pod;  // as last seen
        std::string uid;
        PodState state;
        std::map<std::string, TerminationLog> last_words;  // by container, of its latest start
        std::map<std::string, SecretFolder> secrets;       // by container, while it lives
        std::map<std::string, std::uintmax_t> log_starts;  // by container: where its output begins in the log
        std::unique_ptr<boost::asio::steady_timer> grace;
        std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
        bool deleted = false;  // to be removed from the API when nothing of it runs
        bool let_go = false;   // has been
        bool gone = false;     // its object is
    };

    RuntimeObserver observer();
    void sync_soon();
    void sync();
    void tell_if_stopped();
    void adopt(const Json& pod);
    void advance(Run& run);
    void end(Run& run, std::chrono::seconds grace);
    void kill(Run& run);
    void fail_all(const std::string& why);

    void start_container(Run& run, ContainerState& container);
    Result<ContainerSpec> container_spec(Run& run, const ContainerState& container);
    Result<std::string> mount_run_secret(Run& run, const Json& container);
    PodSurroundings surroundings(const Run& run);
    void set_gpus(Environment& environment);
    void finish(Run& run, ContainerState& container, int code, int signal);
    std::pair<Run*, ContainerState*> find(const std::string& id);

    void report(Run& run);
    void let_go(Run& run);
    void annotate_pid(const Run& run, const Json& value);
    void note_once(const std::string& text);

    boost::asio::io_context& io_;
    MemoryApi& api_;
    KubeletOptions options_;
    PodAddresses addresses_;
    std::map<std::string, Run> runs_;  // by uid
    std::unique_ptr<ProcessRuntime> runtime_;
    std::shared_ptr<void> subscription_;
    std::shared_ptr<bool> alive_ =
        std::make_shared<bool>(true);  // asynchronous calls look whether this object still is
    std::set<std::string> noted_;
    std::function<void()> stopped_;
    bool stopping_ = false;
    bool sync_queued_ = false;
    std::string lost_;  // why nothing can be run any more: Pods fail at once, so that the job comes to its end
};

}  // namespace evaljob::local
