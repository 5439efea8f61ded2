#include "operator/cluster/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <utility>

#include "operator/cluster/controller_gauges.hpp"

namespace evaljob::cluster {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;
using Labels = prometheus::Labels;

const Labels of_controller{{"controller", "evaljob"}};
const Labels of_queue{{"controller", "evaljob"}, {"name", "evaljob"}};
const Buckets work_buckets{0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60};
const Buckets request_buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30};

double seconds(std::chrono::nanoseconds length) { return std::chrono::duration<double>(length).count(); }

}  // namespace

struct Metrics::State {
    prometheus::Registry registry;
    ControllerGauges gauges;

    prometheus::Family<prometheus::Counter>& counters(const char* name, const char* help) {
        return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    }
    prometheus::Family<prometheus::Gauge>& gauge(const char* name, const char* help) {
        return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
    }
    prometheus::Family<prometheus::Histogram>& histograms(const char* name, const char* help) {
        return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
    }

    prometheus::Family<prometheus::Counter>& reconciles =
        counters("controller_runtime_reconcile_total", "Reconciles by how they ended");
    prometheus::Counter& reconcile_errors =
        counters("controller_runtime_reconcile_errors_total", "Reconciles that failed").Add(of_controller);
    prometheus::Histogram& reconcile_time =
        histograms("controller_runtime_reconcile_time_seconds", "Time of a reconcile").Add(of_controller, work_buckets);
    prometheus::Histogram& queue_time =
        histograms("workqueue_queue_duration_seconds", "How long an EvalJob waits before it is reconciled")
            .Add(of_queue, work_buckets);
    prometheus::Histogram& work_time =
        histograms("workqueue_work_duration_seconds", "How long reconciling an EvalJob takes")
            .Add(of_queue, work_buckets);
    prometheus::Family<prometheus::Counter>& requests =
        counters("rest_client_requests_total", "Requests to the API server by status, method and host");
    prometheus::Family<prometheus::Histogram>& request_time =
        histograms("rest_client_request_duration_seconds", "Time of a request to the API server");
    prometheus::Family<prometheus::Gauge>& leading =
        gauge("leader_election_master_status", "1 while this process holds the Lease");
};

Metrics::Metrics(const std::string& version, int workers) : state_(std::make_unique<State>()) {
    state_->gauge("evaljob_info", "The operator's version").Add({{"version", version}}).Set(1);
    state_->gauge("controller_runtime_max_concurrent_reconciles", "Reconciles that may run at once")
        .Add(of_controller)
        .Set(workers);
}

Metrics::~Metrics() = default;

void Metrics::requested(kube::Verb verb, const std::string& host, int status, std::chrono::nanoseconds took) {
    const std::string method = kube::method_of(verb);
    const std::string code = status == 0 ? "<error>" : std::to_string(status);
    state_->requests.Add({{"code", code}, {"method", method}, {"host", host}}).Increment();
    state_->request_time.Add({{"verb", method}, {"host", host}}, request_buckets).Observe(seconds(took));
}

void Metrics::reconciled(const ReconcileTimes& times) {
    state_->reconciles.Add({{"controller", "evaljob"}, {"result", times.result}}).Increment();
    if (times.result == std::string_view("error")) state_->reconcile_errors.Increment();
    state_->reconcile_time.Observe(seconds(times.worked));
    state_->queue_time.Observe(seconds(times.queued));
    state_->work_time.Observe(seconds(times.worked));
}

void Metrics::leads(const std::string& lease, bool leads) { state_->leading.Add({{"name", lease}}).Set(leads ? 1 : 0); }

void Metrics::read_from(const Controller* controller) { state_->gauges.read_from(controller); }

std::string Metrics::text() const {
    auto families = state_->registry.Collect();
    for (auto& family : state_->gauges.Collect()) families.push_back(std::move(family));
    return prometheus::TextSerializer().Serialize(families);
}

MeasuredTransport::MeasuredTransport(kube::Transport& inner, Metrics& metrics, std::string host)
    : inner_(inner), metrics_(metrics), host_(std::move(host)) {}

Result<kube::Response> MeasuredTransport::send(const kube::Request& request) {
    const auto begun = std::chrono::steady_clock::now();
    auto response = inner_.send(request);
    metrics_.requested(request.verb, host_, response ? response->status : 0, std::chrono::steady_clock::now() - begun);
    return response;
}

/// Until the stream is open; what it brings later takes as long as it likes.
Result<std::unique_ptr<kube::ByteStream>> MeasuredTransport::open(const kube::Request& request) {
    const auto begun = std::chrono::steady_clock::now();
    auto stream = inner_.open(request);
    metrics_.requested(request.verb, host_, stream ? 200 : 0, std::chrono::steady_clock::now() - begun);
    return stream;
}

}  // namespace evaljob::cluster
