#include "operator/cluster/controller_gauges.hpp"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "operator/plan/status.hpp"

namespace evaljob::cluster {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

double seconds(std::chrono::nanoseconds length) { return std::chrono::duration<double>(length).count(); }

MetricFamily family(const char* name, const char* help, MetricType type = MetricType::Gauge) {
    return {name, help, type, {}};
}

void add(MetricFamily& family, Labels labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (family.type == MetricType::Counter)
        metric.counter.value = value;
    else
        metric.gauge.value = value;
    family.metric.push_back(std::move(metric));
}

MetricFamily one(const char* name, const char* help, Labels labels, double value, MetricType type = MetricType::Gauge) {
    MetricFamily made = family(name, help, type);
    add(made, std::move(labels), value);
    return made;
}

void collect_work(const Workload& work, std::vector<MetricFamily>& families) {
    const Labels queue{{"controller", "evaljob"}, {"name", "evaljob"}};
    families.push_back(
        one("workqueue_depth", "EvalJobs that wait to be reconciled", queue, static_cast<double>(work.depth)));
    families.push_back(one("workqueue_adds_total", "EvalJobs that were queued", queue, static_cast<double>(work.adds),
                           MetricType::Counter));
    families.push_back(one("workqueue_retries_total", "EvalJobs that were queued again after a failure", queue,
                           static_cast<double>(work.retries), MetricType::Counter));
    families.push_back(one("workqueue_unfinished_work_seconds", "Sum of the time of reconciles that are under way",
                           queue, seconds(work.unfinished)));
    families.push_back(one("workqueue_longest_running_processor_seconds",
                           "Time of the longest reconcile that is under way", queue, seconds(work.longest)));
    families.push_back(one("controller_runtime_active_workers", "Reconciles that are under way",
                           {{"controller", "evaljob"}}, static_cast<double>(work.working)));
}

/// Of jobs that have ended only their number: there may be many.
void collect_jobs(const Controller& controller, std::vector<MetricFamily>& families) {
    std::map<std::string, int> by_status;
    MetricFamily done = family("evaljob_samples_done", "Samples that an unfinished EvalJob has evaluated");
    MetricFamily total = family("evaljob_samples_total", "Samples of an unfinished EvalJob");
    MetricFamily nodes = family("evaljob_nodes_ready", "Ready nodes of an unfinished EvalJob");
    MetricFamily restarts = family("evaljob_restarts", "Restarts of an unfinished EvalJob that count");
    MetricFamily stalled = family("evaljob_stalled", "1: an unfinished EvalJob finishes no sample");
    controller.each_job([&](const EvalJob& job) {
        ++by_status[job.status.summary.status.empty() ? "Pending" : job.status.summary.status];
        if (is_terminal(job.status)) return;
        const Labels labels{{"namespace", job.meta.ns}, {"name", job.meta.name}};
        if (job.status.progress) {
            add(done, labels, static_cast<double>(job.status.progress->samples_done));
            add(total, labels, static_cast<double>(job.status.progress->samples_total));
        }
        add(nodes, labels, job.status.nodes.ready);
        add(restarts, labels, job.status.restarts);
        add(stalled, labels, is_true(job.status, "Stalled") ? 1 : 0);
    });
    MetricFamily jobs = family("evaljob_jobs", "EvalJobs by the STATUS that kubectl shows");
    for (const auto& [status, count] : by_status) add(jobs, {{"status", status}}, count);
    for (MetricFamily* made : {&jobs, &done, &total, &nodes, &restarts, &stalled}) families.push_back(std::move(*made));
}

}  // namespace

void ControllerGauges::read_from(const Controller* controller) {
    const std::lock_guard lock(mutex_);
    controller_ = controller;
}

std::vector<MetricFamily> ControllerGauges::Collect() const {
    const std::lock_guard lock(mutex_);
    std::vector<MetricFamily> families;
    if (!controller_) return families;
    collect_work(controller_->workload(), families);
    collect_jobs(*controller_, families);
    return families;
}

}  // namespace evaljob::cluster
