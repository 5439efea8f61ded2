// The operator's controller with many EvalJobs, on the API server in memory: what it costs, how long jobs wait in its
// queue, what it holds, and what it does while the API server is away.
//   bench_controller [JOBS]
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "api/merge_report.hpp"
#include "api/progress_report.hpp"
#include "local/kubelet_requests.hpp"
#include "local/memory_api.hpp"
#include "operator/controller.hpp"
#include "operator/kube/views.hpp"
#include "tests/fashion_job.hpp"

namespace evaljob::bench {
namespace {

constexpr int nodes = 4;
constexpr int outage_seconds = 180;

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double resident_mib() {
    ::malloc_trim(0);
    std::ifstream file("/proc/self/statm");
    long pages = 0;
    file >> pages >> pages;  // the second is what is resident
    return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1024.0 * 1024.0);
}

/// The way to the API server: counts requests, and can be cut.
class Way : public kube::Transport {
public:
    explicit Way(kube::Transport& api) : api_(api) {}

    Result<kube::Response> send(const kube::Request& request) override {
        ++requests;
        if (down) return fail("Unreachable", "the API server is away", true);
        return api_.send(request);
    }
    Result<std::unique_ptr<kube::ByteStream>> open(const kube::Request& request) override {
        ++requests;
        if (down) return fail("Unreachable", "the API server is away", true);
        return api_.open(request);
    }

    bool down = false;
    std::uint64_t requests = 0;

private:
    kube::Transport& api_;
};

class Bench {
public:
    explicit Bench(int jobs) : jobs_(jobs) { start_controller(); }

    void run() {
        std::printf("%d EvalJobs of %d Pods, API server in memory, one thread\n\n", jobs_, nodes);
        std::printf("%-44s %9s %9s %10s %9s %9s\n", "", "CPU s", "ms a job", "requests", "wait p50", "wait p99");
        part("created -> all Pods made", [this] { create(); });
        part("all Pods run -> status says so", [this] { set_pods("Running", 0); });
        part("60 s in which nothing happens", [this] { pass(60); });
        part("a Pod of every tenth job fails -> replaced", [this] { fail_some(); });
        outage();
        memory();
        part("all Pods succeed -> merge Jobs made", [this] { set_pods("Succeeded", 0); });
        part("merges succeed -> score", [this] { merge(); });
        check_all_succeeded();
    }

private:
    void start_controller() {
        ControllerOptions options;
        options.ns = "default";
        options.clock = [this] { return now_; };
        options.settings.in_cluster = false;
        options.reconciled = [this](const ReconcileTimes& times) { waits_.push_back(times.queued); };
        controller_ = std::make_unique<Controller>(way_, std::move(options));
    }

    /// The only work that is timed: the controller's, with the API server's share of it.
    void settle() {
        const double begun = cpu_seconds();
        while (controller_->pump()) continue;
        controller_cpu_ += cpu_seconds() - begun;
    }

    void pass(int seconds) {
        for (int i = 0; i < seconds; ++i) {
            ++now_;
            settle();
        }
    }

    template <class Act>
    void part(const char* name, const Act& act) {
        waits_.clear();
        const std::uint64_t requests = way_.requests;
        controller_cpu_ = 0;
        act();
        settle();
        std::ranges::sort(waits_);
        const auto wait = [this](double share) {
            if (waits_.empty()) return 0.0;
            const auto at = static_cast<std::size_t>(share * static_cast<double>(waits_.size() - 1));
            return std::chrono::duration<double>(waits_[at]).count();
        };
        std::printf("%-44s %9.2f %9.2f %10lu %7.2f s %7.2f s\n", name, controller_cpu_, controller_cpu_ * 1000 / jobs_,
                    static_cast<unsigned long>(way_.requests - requests), wait(0.5), wait(0.99));
        std::fflush(stdout);
    }

    void must(const kube::Request& request) {
        const auto response = api_.send(request);
        if (!response || response->status >= 300) throw std::runtime_error(request.path + " was refused");
    }

    void create() {
        for (int i = 0; i < jobs_; ++i)
            must(kube::create(kube::evaljobs, "default", test::fashion_job("job-" + std::to_string(i), nodes)));
    }

    void say(const Json& pod, const std::string& phase, int code, const std::string& message = "") {
        const Json state = phase == "Running" ? Json{{"running", Json::object()}}
                                              : Json{{"terminated", {{"exitCode", code}, {"message", message}}}};
        const Json ready = {{"type", "Ready"}, {"status", phase == "Running" ? "True" : "False"}};
        must(local::status_patch(pod, {{"phase", phase},
                                       {"conditions", Json::array({ready})},
                                       {"containerStatuses", Json::array({{{"name", "runner"}, {"state", state}}})}}));
    }

    void set_pods(const std::string& phase, int code) {
        for (const auto& pod : api_.objects(kube::pods)) {
            const PodView view = kube::pod_view(*pod);
            if (!view.merge && view.phase != "Failed")
                say(*pod, phase, code, encode_last_words(test::frozen_identity()));
        }
    }

    void fail_some() {
        for (int i = 0; i < jobs_; i += 10) {
            const auto pod = api_.send(kube::get(kube::pods, "default", "job-" + std::to_string(i) + "-1-0"));
            say(*kube::read_response(*pod), "Failed", 1, "out of memory");
        }
    }

    void outage() {
        std::printf("\nthe API server is away for %d s\n", outage_seconds);
        way_.down = true;
        api_.end_watches();
        const std::uint64_t requests = way_.requests;
        controller_cpu_ = 0;
        pass(outage_seconds);
        std::printf("  %lu requests in vain, %.2f s of CPU\n", static_cast<unsigned long>(way_.requests - requests),
                    controller_cpu_);
        way_.down = false;
        part("  and is back -> everything seen again", [this] { pass(60); });
    }

    /// What the controller holds: with it and without, everything else the same.
    void memory() {
        const double with = resident_mib();
        controller_.reset();
        const double without = resident_mib();
        std::printf("\nmemory of the controller: %.0f MiB (%.1f KiB a job)\n", with - without,
                    (with - without) * 1024 / jobs_);
        controller_cpu_ = 0;
        start_controller();
        settle();
        std::printf("a new one has seen everything after %.2f s of CPU\n\n", controller_cpu_);
    }

    /// What the Job controller and a kubelet do.
    void merge() {
        MergeReport report;
        report.samples = 100;
        report.published = true;
        report.identity = test::frozen_identity();
        report.digest = "digest";
        report.path = "results/digest";
        report.metrics = {{"fashion", "accuracy", "", "0.9134", "0.0028", 100}};
        const std::string message = encode_merge_report(report);
        for (const auto& job : api_.objects(kube::jobs)) {
            const Json& metadata = job->at("metadata");
            Json pod = job->at("spec").at("template");
            pod["metadata"]["name"] = metadata.at("name").get<std::string>() + "-x";
            pod["metadata"]["ownerReferences"] = Json::array({{{"apiVersion", "batch/v1"},
                                                               {"kind", "Job"},
                                                               {"name", metadata.at("name")},
                                                               {"uid", metadata.at("uid")},
                                                               {"controller", true}}});
            must(kube::create(kube::pods, "default", pod));
            const auto made = api_.send(kube::get(kube::pods, "default", pod["metadata"]["name"].get<std::string>()));
            say(*kube::read_response(*made), "Succeeded", 0, message);
            must(kube::patch_status(kube::jobs, "default", metadata.at("name").get<std::string>(), "",
                                    {{"conditions", Json::array({{{"type", "Complete"}, {"status", "True"}}})}}));
        }
    }

    void check_all_succeeded() const {
        int succeeded = 0;
        for (const auto& object : api_.objects(kube::evaljobs))
            succeeded += parse_evaljob(*object)->status.summary.status == "Succeeded" ? 1 : 0;
        if (succeeded != jobs_) throw std::runtime_error(std::to_string(succeeded) + " EvalJobs have succeeded");
        std::printf("\nall %d have succeeded\n", jobs_);
    }

    int jobs_;
    UnixSeconds now_ = 1'800'000'000;
    local::MemoryApi api_{{[this] { return now_; }, 1, 1'000'000, false}};
    Way way_{api_};
    std::unique_ptr<Controller> controller_;
    std::vector<WorkTimes::Length> waits_;
    double controller_cpu_ = 0;
};

}  // namespace
}  // namespace evaljob::bench

int main(int argc, char** argv) {
    spdlog::set_level(spdlog::level::off);
    try {
        evaljob::bench::Bench(argc > 1 ? std::atoi(argv[1]) : 10'000).run();
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
