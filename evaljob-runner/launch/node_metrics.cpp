#include "evaljob-runner/launch/node_metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <utility>

#include "api/json.hpp"

namespace evaljob {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

ClientMetric sample(MetricType type, double value, std::vector<ClientMetric::Label> labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    return metric;
}

MetricFamily family(const char* name, const char* help, MetricType type, std::vector<ClientMetric> metrics) {
    MetricFamily made;
    made.name = name;
    made.help = help;
    made.type = type;
    made.metric = std::move(metrics);
    return made;
}

template <class Value>
MetricFamily of_ranks(const char* name, const char* help, const std::vector<RankUsage>& ranks, Value value) {
    std::vector<ClientMetric> metrics;
    for (const RankUsage& rank : ranks)
        metrics.push_back(
            sample(MetricType::Counter, static_cast<double>(value(rank)), {{"rank", std::to_string(rank.rank)}}));
    return family(name, help, MetricType::Counter, std::move(metrics));
}

MetricFamily seconds_of_ranks(const std::vector<RankUsage>& ranks) {
    std::vector<ClientMetric> metrics;
    for (const RankUsage& rank : ranks)
        for (const auto& [spent, seconds] :
             {std::pair("starting", rank.starting_seconds), std::pair("waiting", rank.waiting_seconds),
              std::pair("computing", rank.computing_seconds), std::pair("writing", rank.writing_seconds)})
            metrics.push_back(
                sample(MetricType::Counter, seconds, {{"rank", std::to_string(rank.rank)}, {"spent", spent}}));
    return family("evaljob_rank_seconds_total", "Seconds of a rank's life, by what they were spent on",
                  MetricType::Counter, std::move(metrics));
}

/// Of engines that ask a server; nothing where there is none.
void add_requests(const std::vector<RankUsage>& ranks, std::vector<MetricFamily>& families) {
    if (std::none_of(ranks.begin(), ranks.end(), [](const RankUsage& rank) { return rank.requests > 0; })) return;
    families.push_back(of_ranks("evaljob_rank_requests_total", "Requests that a rank has made to a server", ranks,
                                [](const RankUsage& rank) { return rank.requests; }));
    families.push_back(of_ranks("evaljob_rank_requests_again_total", "Of those, the ones that were tried again", ranks,
                                [](const RankUsage& rank) { return rank.requests_again; }));
    std::vector<ClientMetric> tokens;
    for (const RankUsage& rank : ranks)
        for (const auto& [kind, count] :
             {std::pair("prompt", rank.prompt_tokens), std::pair("completion", rank.completion_tokens)})
            tokens.push_back(sample(MetricType::Counter, static_cast<double>(count),
                                    {{"rank", std::to_string(rank.rank)}, {"kind", kind}}));
    families.push_back(family("evaljob_rank_tokens_total", "Tokens of prompts and of answers", MetricType::Counter,
                              std::move(tokens)));
}

void add_run(const CoordinatorProgress& run, std::vector<MetricFamily>& families) {
    const auto gauge = [&](const char* name, const char* help, double value) {
        families.push_back(family(name, help, MetricType::Gauge, {sample(MetricType::Gauge, value)}));
    };
    const auto counter = [&](const char* name, const char* help, double value) {
        families.push_back(family(name, help, MetricType::Counter, {sample(MetricType::Counter, value)}));
    };
    gauge("evaljob_run_samples", "Samples that the run has to evaluate", static_cast<double>(run.samples_total));
    gauge("evaljob_run_samples_done", "Samples whose records are durable", static_cast<double>(run.samples_done));
    gauge("evaljob_run_samples_failed", "Samples that failed", static_cast<double>(run.samples_failed));
    gauge("evaljob_run_eta_seconds", "Seconds until the run will be done", run.eta_seconds);
    gauge("evaljob_run_ranks_connected", "Ranks that are connected to the coordinator", [&] {
        double connected = 0;
        for (const RankProgress& rank : run.ranks) connected += rank.connected ? 1 : 0;
        return connected;
    }());
    counter("evaljob_run_leases_total", "Leases handed out by this coordinator", static_cast<double>(run.leases));
    counter("evaljob_run_leases_again_total", "Leases of batches that had been leased before",
            static_cast<double>(run.leases_again));
    counter("evaljob_run_leases_twice_total", "Of all leases, those of batches that another rank held at that time",
            static_cast<double>(run.leases_twice));
    counter("evaljob_run_idle_seconds_total", "Seconds in which ranks wanted a lease and there was none",
            run.balance.idle_ms / 1e3);
    gauge("evaljob_run_makespan_seconds", "From the first lease to the last batch that was done",
          run.balance.makespan_ms / 1e3);
    if (run.balance.bound_ms > 0)
        gauge("evaljob_run_bound_seconds", "What that would have taken at least", run.balance.bound_ms / 1e3);
}

}  // namespace

std::string node_metrics(const std::vector<RankUsage>& ranks, const CoordinatorProgress* run) {
    std::vector<MetricFamily> families{
        of_ranks("evaljob_rank_samples_total", "Samples that a rank has evaluated", ranks,
                 [](const RankUsage& rank) { return rank.samples; }),
        of_ranks("evaljob_rank_samples_failed_total", "Of those, the ones that failed", ranks,
                 [](const RankUsage& rank) { return rank.failed; }),
        of_ranks("evaljob_rank_batches_total", "Batches that a rank has evaluated", ranks,
                 [](const RankUsage& rank) { return rank.batches; }),
        of_ranks("evaljob_rank_restarts_total", "How often a rank was restarted in its place", ranks,
                 [](const RankUsage& rank) { return rank.restarts; }),
        seconds_of_ranks(ranks)};
    add_requests(ranks, families);
    if (run != nullptr) add_run(*run, families);
    return prometheus::TextSerializer().Serialize(families);
}

std::string node_progress_json(const std::vector<RankUsage>& ranks, std::int32_t attempt) {
    Json list = Json::array();
    for (const RankUsage& rank : ranks)
        list.push_back({{"rank", rank.rank},
                        {"restarts", rank.restarts},
                        {"batches", rank.batches},
                        {"samples", rank.samples},
                        {"samplesFailed", rank.failed},
                        {"computeSeconds", rank.computing_seconds}});
    return Json{{"attempt", attempt}, {"ranks", std::move(list)}}.dump();
}

}  // namespace evaljob
