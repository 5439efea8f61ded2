#include "cli/local_run.hpp"

#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <random>
#include <set>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/json.hpp"
#include "api/names.hpp"
#include "cli/output_lock.hpp"
#include "local/admission.hpp"
#include "local/gpu_division.hpp"
#include "local/job_controller.hpp"
#include "local/memory_api.hpp"
#include "local/process_kubelet.hpp"
#include "net/progress_puller.hpp"
#include "operator/carried_clock.hpp"
#include "operator/controller.hpp"
#include "operator/plan/progress.hpp"

namespace evaljob {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds view_interval{200};
constexpr std::chrono::seconds stop_grace{30};

bool has_condition(const EvalJobStatus& status, const char* type) {
    return std::any_of(status.conditions.begin(), status.conditions.end(),
                       [&](const Condition& c) { return c.type == type && c.status; });
}

local::MemoryApiOptions api_options(const Clock& clock) {
    local::MemoryApiOptions options;
    options.clock = clock;
    options.uid_seed = (std::uint64_t{std::random_device{}()} << 32U) | std::random_device{}();
    return options;
}

class LocalRun {
public:
    explicit LocalRun(LocalRunOptions options)
        : options_(std::move(options)),
          job_(options_.file.job),
          end_{false, "", {}, options_.file.storage_root + "/" + job_.spec.storage.path, ""},
          api_(api_options(clock_)),
          jobs_(api_, clock_),
          kubelet_(io_, api_, kubelet_options()),
          signals_(io_, SIGINT, SIGTERM),
          look_timer_(io_),
          view_timer_(io_),
          progress_(io_, {.clock = clock_, .arrived = {}}) {
        end_.log_folder = state_dir() + "/logs";
        api_.admit(kube::evaljobs, local::admit_evaljob);
        api_.admit(kube::pods, local::admit_pod);
        subscription_ = api_.on_change([this] { pump_soon(); });
    }

    Result<LocalRunEnd> run() {
        auto lock = OutputLock::take(end_.shared_dir);
        if (!lock) return tl::unexpected(lock.error());
        if (auto started = kubelet_.start(); !started) return tl::unexpected(started.error());
        if (auto made = make_controller(); !made) return tl::unexpected(made.error());
        const auto created = api_.send(kube::create(kube::evaljobs, job_.meta.ns, options_.file.object));
        if (!created) return tl::unexpected(created.error());
        if (auto object = kube::read_response(*created); !object) return tl::unexpected(object.error());
        await_signal();
        view_later();
        pump_soon();
        io_.run();
        return std::move(end_);
    }

private:
    std::string state_dir() const { return end_.shared_dir + "/local"; }

    local::KubeletOptions kubelet_options() {
        local::KubeletOptions kubelet;
        kubelet.state_dir = state_dir();
        kubelet.working_dir = options_.file.folder;
        kubelet.path_prefix = options_.program_folder;
        kubelet.environment = options_.environment;
        kubelet.gpus = local::visible_gpus(options_.environment);
        kubelet.address_seed = static_cast<std::uint32_t>(::getpid());
        kubelet.clock = clock_;
        kubelet.on_lost = [this](const std::string& why) {
            end_.lost = why;
            stop();
        };
        return kubelet;
    }

    Result<void> make_controller() {
        const std::string master_address = kubelet_.address_of(names::host_fqdn(job_.meta.name, job_.meta.ns, 0));
        settings_.storage_mount_path = options_.file.storage_root;
        settings_.in_cluster = false;
        const auto port = job_.spec.eval ? local::free_port(master_address)
                                         : local::free_port_everywhere(static_cast<std::uint32_t>(::getpid()));
        if (!port) return tl::unexpected(port.error());
        settings_.default_rendezvous_port = *port;
        ControllerOptions controller;
        controller.ns = job_.meta.ns;
        controller.settings = settings_;
        controller.clock = clock_;
        controller.progress = [this](const Observed& observed) { return report(observed); };
        controller.seed = static_cast<std::uint64_t>(::getpid());
        controller_ = std::make_unique<Controller>(api_, std::move(controller));
        return {};
    }

    std::optional<ProgressReport> report(const Observed& observed) {
        if (const auto place = progress_place(observed, settings_)) {
            const auto port = static_cast<std::uint16_t>(place->port);
            progress_place_ = {observed.job.meta.name, observed.job.meta.uid, place->address, port};
        }
        return latest_report();
    }

    std::optional<ProgressReport> latest_report() const {
        if (!progress_place_) return {};
        return progress_.latest(progress_place_->run);
    }

    void pump_soon() {
        if (std::exchange(pump_queued_, true)) return;
        asio::post(io_, [this] {
            pump_queued_ = false;
            pump();
        });
    }

    void pump() {
        if (stopping_) return;
        while (controller_->pump()) jobs_.step();
        jobs_.step();
        observe();
        look_later();
    }

    void look_later() {
        const auto next = controller_->next_look();
        if (!next || stopping_) return;
        look_timer_.expires_after(std::chrono::seconds(std::max<UnixSeconds>(0, *next - clock_())));
        look_timer_.async_wait([this](const boost::system::error_code& error) {
            if (!error) pump_soon();
        });
    }

    void observe() {
        for (const auto& object : api_.objects(kube::evaljobs)) {
            const auto job = parse_evaljob(*object);
            if (job) end_.status = job->status;
        }
        // How it ended is told at the end, once.
        if (has_condition(end_.status, "Succeeded") || has_condition(end_.status, "Failed")) return stop();
        tell_events();
    }

    void tell_events() {
        for (const auto& event : api_.objects(kube::events)) {
            if (event->value("type", "") != "Warning" || !told_.insert((*event)["metadata"].value("uid", "")).second)
                continue;
            options_.on_note(event->value("note", ""));
        }
    }

    void view_later() {
        view_timer_.expires_after(view_interval);
        view_timer_.async_wait([this](const boost::system::error_code& error) {
            if (error || stopping_) return;
            if (progress_place_) progress_.ask(*progress_place_);
            options_.on_view(view());
            view_later();
        });
    }

    RunView view() const {
        RunView view;
        view.status = end_.status.summary.status.empty() ? "Pending" : end_.status.summary.status;
        view.nodes = end_.status.summary.nodes;
        view.world_size = job_.spec.world_size();
        if (const auto latest = latest_report()) {
            view.samples_done = latest->samples_done;
            view.samples_total = latest->samples_total;
            view.samples_per_second = latest->samples_per_second;
            view.eta_seconds = latest->eta_seconds;
            view.ranks_connected = latest->ranks_connected;
            view.waiting_for = latest->waiting_for;
        }
        // Node 0 may have ended before it was asked a last time, or at all.
        if (const auto& results = end_.status.results; results && has_condition(end_.status, "Succeeded")) {
            view.samples_total = results->samples;
            view.samples_done = results->samples - results->missing.value_or(0);
        }
        return view;
    }

    void await_signal() {
        signals_.async_wait([this](const boost::system::error_code& error, int) {
            if (error) return;
            end_.interrupted = !stopping_;
            stop();
        });
    }

    /// Ends what still runs; then nothing keeps the io_context.
    void stop() {
        if (std::exchange(stopping_, true)) return;
        look_timer_.cancel();
        view_timer_.cancel();
        progress_.stop();
        kubelet_.async_stop(stop_grace, [this] {
            options_.on_view(view());
            io_.stop();
        });
        // A second Ctrl-C does not wait any longer.
        signals_.async_wait([this](const boost::system::error_code& error, int) {
            if (!error) kubelet_.async_stop(std::chrono::seconds(0), [this] { io_.stop(); });
        });
    }

    LocalRunOptions options_;
    Clock clock_ = carried_clock();
    EvalJob job_;
    LocalRunEnd end_;
    asio::io_context io_{1};
    local::MemoryApi api_;
    local::JobController jobs_;
    local::ProcessKubelet kubelet_;
    std::unique_ptr<Controller> controller_;
    asio::signal_set signals_;
    asio::steady_timer look_timer_;
    asio::steady_timer view_timer_;
    ProgressPuller progress_;
    std::optional<ProgressPuller::Place> progress_place_;
    std::shared_ptr<void> subscription_;
    std::set<std::string> told_;
    Settings settings_;
    bool pump_queued_ = false;
    bool stopping_ = false;
};

}  // namespace

Result<LocalRunEnd> run_locally(LocalRunOptions options) { return LocalRun(std::move(options)).run(); }

}  // namespace evaljob
