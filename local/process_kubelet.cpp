#include "local/process_kubelet.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <charconv>

#include <signal.h>
#include <spdlog/spdlog.h>

#include "api/names.hpp"
#include "api/runner_environment.hpp"
#include "local/admission.hpp"
#include "local/gpu_division.hpp"
#include "local/kubelet_requests.hpp"
#include "local/secret_files.hpp"
#include "local/termination_message.hpp"

namespace evaljob::local {
namespace {

using Step = ContainerState::Step;

std::string container_id(const std::string& uid, const std::string& container) { return uid + "/" + container; }

const Json* container_of(const Json& pod, const ContainerState& state) {
    const auto& spec = pod.at("spec");
    const auto list = spec.find(state.init ? "initContainers" : "containers");
    for (const auto& container : *list) {
        if (container.value("name", "") == state.name) return &container;
    }
    return nullptr;
}

/// The container whose pid is told: `runner`, else the first that is no init container.
bool is_main(const PodState& state, const ContainerState& container) {
    if (container.init) return false;
    const auto named = std::any_of(state.containers.begin(), state.containers.end(), [](const ContainerState& other) {
        return !other.init && other.name == names::runner_container;
    });
    if (named) return container.name == names::runner_container;
    return &container == &*std::find_if(state.containers.begin(), state.containers.end(),
                                        [](const ContainerState& other) { return !other.init; });
}

std::string host_of(const Json& pod) {
    const auto ns = string_at(pod, "metadata", "namespace");
    const auto hostname = string_at(pod, "spec", "hostname"), subdomain = string_at(pod, "spec", "subdomain");
    if (hostname.empty() || subdomain.empty()) return string_at(pod, "metadata", "name") + "." + ns;
    return hostname + "." + subdomain + "." + ns + ".svc";
}

std::int32_t number_in(const Environment& environment, const char* name, std::int32_t otherwise) {
    const auto found = environment.find(name);
    if (found == environment.end()) return otherwise;
    std::int32_t number = otherwise;
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
    return number;
}

}  // namespace

ProcessKubelet::ProcessKubelet(boost::asio::io_context& io, MemoryApi& api, KubeletOptions options)
    : io_(io), api_(api), options_(std::move(options)), addresses_(options_.address_seed) {
    // Containers run in folders of their own.
    options_.state_dir = std::filesystem::absolute(options_.state_dir);
    options_.working_dir = std::filesystem::absolute(options_.working_dir);
}

ProcessKubelet::~ProcessKubelet() = default;

Result<void> ProcessKubelet::start() {
    std::error_code error;
    std::filesystem::create_directories(options_.state_dir / "logs", error);
    if (error)
        return fail("NoStateFolder", "cannot make " + (options_.state_dir / "logs").string() + ": " + error.message());
    // Of runs that were killed.
    std::filesystem::remove_all(options_.state_dir / "pods", error);
    auto runtime = ProcessRuntime::launch(io_, options_.executable, observer());
    if (!runtime) return tl::unexpected(runtime.error());
    runtime_ = std::move(*runtime);
    api_.admit(kube::pods, admit_pod);
    subscription_ = api_.on_change([this] { sync_soon(); });
    sync_soon();
    return {};
}

RuntimeObserver ProcessKubelet::observer() {
    return {[this](const std::string& id, int pid) {
                const auto [run, container] = find(id);
                if (!container) return;
                container->step = Step::Running;
                container->pid = pid;
                container->started_at = options_.clock();
                if (is_main(run->state, *container)) annotate_pid(*run, std::to_string(pid));
                advance(*run);
            },
            [this](const std::string& id, const std::string& why) {
                const auto [run, container] = find(id);
                if (!container) return;
                finish(*run, *container, 128, 0);
                container->reason = "StartError";
                container->message = why;
                advance(*run);
            },
            [this](const std::string& id, int code, int signal) {
                const auto [run, container] = find(id);
                if (!container) return;
                finish(*run, *container, code, signal);
                advance(*run);
            },
            [this](const std::string& why) { fail_all(why); }};
}

std::pair<ProcessKubelet::Run*, ContainerState*> ProcessKubelet::find(const std::string& id) {
    const auto slash = id.find('/');
    const auto run = runs_.find(id.substr(0, slash));
    if (run == runs_.end()) return {nullptr, nullptr};
    for (auto& container : run->second.state.containers) {
        if (container.name == id.substr(slash + 1)) return {&run->second, &container};
    }
    return {nullptr, nullptr};
}

void ProcessKubelet::sync_soon() {
    if (std::exchange(sync_queued_, true)) return;
    boost::asio::post(io_, [this, alive = std::weak_ptr(alive_)] {
        if (alive.expired()) return;
        sync_queued_ = false;
        sync();
    });
}

void ProcessKubelet::sync() {
    std::set<std::string> present;
    for (const auto& pod : api_.objects(kube::pods)) {
        present.insert(string_at(*pod, "metadata", "uid"));
        adopt(*pod);
    }
    for (auto run = runs_.begin(); run != runs_.end();) {
        if (!present.contains(run->first) && !std::exchange(run->second.gone, true)) kill(run->second);
        if (run->second.gone && !is_alive(run->second.state))
            run = runs_.erase(run);
        else
            advance((run++)->second);
    }
    tell_if_stopped();
}

void ProcessKubelet::tell_if_stopped() {
    const auto runs = [](const auto& run) { return is_alive(run.second.state); };
    if (stopped_ && std::none_of(runs_.begin(), runs_.end(), runs))
        boost::asio::post(io_, std::exchange(stopped_, nullptr));
}

/// Takes a Pod up, or notes what has become of its object.
void ProcessKubelet::adopt(const Json& pod) {
    const auto uid = string_at(pod, "metadata", "uid");
    const auto phase = string_at(pod, "status", "phase");
    if (!runs_.contains(uid) && (phase == "Succeeded" || phase == "Failed")) return;  // not ours: it ended before
    const auto [place, is_new] = runs_.try_emplace(uid);
    auto& run = place->second;
    run.pod = pod;
    if (is_new) {
        run.uid = uid;
        run.state = initial_state(pod, addresses_.address_of(host_of(pod)));
        run.state.refused = lost_.empty() ? unsupported(pod) : lost_;
        run.state.refused_reason = lost_.empty() ? "NotSupported" : "RuntimeLost";
        run.state.ending = stopping_;
        for (const auto& field : ignored_fields(pod)) note_once("local mode does not act on " + field);
    }
    if (pod.at("metadata").contains("deletionTimestamp")) {
        run.deleted = true;
        end(run, std::chrono::seconds(pod.at("metadata").value("deletionGracePeriodSeconds", 30)));
    }
}

/// Starts what can start, says how things stand, and lets a deleted Pod go.
void ProcessKubelet::advance(Run& run) {
    if (run.gone) {
        if (!is_alive(run.state)) sync_soon();  // which forgets it
        return;
    }
    for (const auto index : startable(run.state)) start_container(run, run.state.containers[index]);
    report(run);
    if (!is_alive(run.state)) {
        run.grace.reset();
        if (run.deleted && !std::exchange(run.let_go, true)) let_go(run);
        tell_if_stopped();
    }
}

void ProcessKubelet::start_container(Run& run, ContainerState& container) {
    const auto spec = container_spec(run, container);
    if (spec) {
        container.step = Step::Starting;
        container.reason.clear();
        container.message.clear();
        return runtime_->start(*spec);
    }
    container.message = spec.error().message;
    container.reason = spec.error().reason;
    if (spec.error().retry) return;  // looked at again with the next change
    finish(run, container, 128, 0);
    container.message = spec.error().message;
    container.reason = spec.error().reason;
}

Result<ContainerSpec> ProcessKubelet::container_spec(Run& run, const ContainerState& container) {
    const auto& spec = *container_of(run.pod, container);
    const auto own = container_environment(run.pod, spec, surroundings(run));
    if (!own) return tl::unexpected(own.error());
    auto argv = container_argv(spec, *own);
    if (!argv) return tl::unexpected(argv.error());
    auto mounted = mount_run_secret(run, spec);
    if (!mounted) return tl::unexpected(mounted.error());
    auto environment = base_environment(options_.environment);
    environment.erase("CUDA_VISIBLE_DEVICES");  // it is divided
    // As in a cluster: the Pod's hostname, by which people know its processes. Nothing is expanded to it.
    environment["HOSTNAME"] = run.pod.at("spec").value("hostname", run.pod.at("metadata").value("name", ""));
    for (const auto& [name, value] : *own) environment[name] = value;
    if (!mounted->empty()) environment[runner_environment::run_folder] = *mounted;
    set_gpus(environment);
    if (!options_.path_prefix.empty()) environment["PATH"] = options_.path_prefix + ":" + environment["PATH"];
    environment[runner_environment::termination_log] = (run.last_words[container.name] = TerminationLog()).path();
    std::error_code ignored;  // it need not be there
    const auto log = log_path(string_at(run.pod, "metadata", "name"));
    const auto log_size = std::filesystem::file_size(log, ignored);
    run.log_starts[container.name] = ignored ? 0 : log_size;
    const auto folder = spec.value("workingDir", options_.working_dir.string());
    return ContainerSpec{container_id(run.uid, container.name), std::move(*argv), std::move(environment), folder,
                         log.string()};
}

/// The folder; empty where the container mounts none.
Result<std::string> ProcessKubelet::mount_run_secret(Run& run, const Json& container) {
    auto files = secret_files(run.pod, container, surroundings(run).secret);
    if (!files) return tl::unexpected(files.error());
    if (!*files) return std::string();
    SecretFolder& folder = run.secrets[container.value("name", "")];
    if (!folder.path().empty()) return folder.path().string();
    auto made =
        SecretFolder::make(options_.state_dir / "pods" / (run.uid + "-" + container.value("name", "")), **files);
    if (!made) return fail("CreateContainerConfigError", made.error().message);
    folder = std::move(*made);
    return folder.path().string();
}

PodSurroundings ProcessKubelet::surroundings(const Run& run) {
    const auto ns = string_at(run.pod, "metadata", "namespace");
    const auto subdomain = string_at(run.pod, "spec", "subdomain");
    return {
        run.state.ip,
        [this, ns](const std::string& name) -> std::optional<Json> {
            for (const auto& secret : api_.objects(kube::secrets)) {
                if (string_at(*secret, "metadata", "namespace") == ns && string_at(*secret, "metadata", "name") == name)
                    return *secret;
            }
            return std::nullopt;
        },
        [this, ns, subdomain](const std::string& text) -> std::optional<std::string> {
            if (subdomain.empty() || !text.ends_with("." + subdomain + "." + ns + ".svc")) return std::nullopt;
            return addresses_.address_of_fqdn(text);
        }};
}

void ProcessKubelet::set_gpus(Environment& environment) {
    if (environment.contains("CUDA_VISIBLE_DEVICES")) return;  // the template's own
    const auto nodes = number_in(environment, "NNODES", 0);
    const auto share = divide_gpus(options_.gpus, number_in(environment, "NODE_RANK", -1), nodes,
                                   number_in(environment, "LOCAL_WORLD_SIZE", 1));
    environment["CUDA_VISIBLE_DEVICES"] = share.devices;
    if (!share.why.empty()) note_once(share.why);
}

void ProcessKubelet::finish(Run& run, ContainerState& container, int code, int signal) {
    container.step = Step::Ended;
    container.exit_code = signal ? 128 + signal : code;
    container.signal = signal;
    container.finished_at = options_.clock();
    container.reason = container.exit_code == 0 ? "Completed" : "Error";
    const auto policy = container_of(run.pod, container)->value("terminationMessagePolicy", "File");
    container.message = termination_message(
        run.last_words[container.name].path(), container.exit_code != 0 && policy == "FallbackToLogsOnError",
        log_path(string_at(run.pod, "metadata", "name")), run.log_starts[container.name]);
    run.secrets.erase(container.name);
    // The pid may be another program's from now on.
    if (std::exchange(container.pid, 0) && is_main(run.state, container) && !run.gone) annotate_pid(run, nullptr);
}

/// SIGTERM now, SIGKILL after `grace`; a second call can only make that sooner.
void ProcessKubelet::end(Run& run, std::chrono::seconds grace) {
    const auto deadline = std::chrono::steady_clock::now() + grace;
    const bool first =
        !std::exchange(run.state.ending, true) || run.deadline == std::chrono::steady_clock::time_point::max();
    if (grace.count() == 0) return kill(run);
    if (!first && deadline >= run.deadline) return;
    run.deadline = deadline;
    if (first) {
        for (const auto& container : run.state.containers) {
            if (container.alive()) runtime_->signal(container_id(run.uid, container.name), SIGTERM);
        }
    }
    run.grace = std::make_unique<boost::asio::steady_timer>(io_, deadline);
    run.grace->async_wait([this, alive = std::weak_ptr(alive_), uid = run.uid](boost::system::error_code error) {
        if (error || alive.expired()) return;
        if (const auto found = runs_.find(uid); found != runs_.end()) kill(found->second);
    });
}

void ProcessKubelet::kill(Run& run) {
    run.state.ending = true;
    for (const auto& container : run.state.containers) {
        if (container.alive()) runtime_->kill(container_id(run.uid, container.name));
    }
}

void ProcessKubelet::fail_all(const std::string& why) {
    lost_ = why;
    for (auto& [uid, run] : runs_) {
        for (auto& container : run.state.containers) {
            if (!container.alive()) continue;
            finish(run, container, 0, SIGKILL);
            container.message = why;
        }
        run.state.ending = true;
        advance(run);
    }
    options_.on_lost(why);
}

void ProcessKubelet::async_stop(std::chrono::seconds grace, std::function<void()> done) {
    stopping_ = true;
    stopped_ = std::move(done);
    for (auto& [uid, run] : runs_) end(run, grace);
    sync_soon();
}

void ProcessKubelet::report(Run& run) {
    const auto old = run.pod.value("status", Json::object());
    const auto status = pod_status(run.pod, run.state, old, options_.clock());
    if (status == old) return;
    if (send(api_, status_patch(run.pod, status))) run.pod["status"] = status;
}

void ProcessKubelet::let_go(Run& run) { send(api_, final_removal(run.pod)); }

void ProcessKubelet::annotate_pid(const Run& run, const Json& value) {
    send(api_, annotation_patch(run.pod, pid_annotation, value));
}

void ProcessKubelet::note_once(const std::string& text) {
    if (noted_.insert(text).second) spdlog::info("{}", text);
}

std::filesystem::path ProcessKubelet::log_path(const std::string& pod) const {
    return options_.state_dir / "logs" / (pod + ".log");
}

}  // namespace evaljob::local
